"""What our web pages share: a base page under a strict policy, its look, tables that sort, data as script files."""

"""Published figures as data, and runs held against them."""

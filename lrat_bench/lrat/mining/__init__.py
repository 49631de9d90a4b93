"""Mining: searches that are followed by browses give (query, opened document, documents passed over).

Three rule sets say which search a browse belongs to: `paper`, `attributed` and `lrat-code`; each is a file of its own.
"""

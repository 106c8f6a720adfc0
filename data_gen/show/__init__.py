"""Show examples to people: in a terminal or as a page."""

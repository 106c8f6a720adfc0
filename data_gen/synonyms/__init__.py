"""Word -> similar words of the same number of wordpieces."""

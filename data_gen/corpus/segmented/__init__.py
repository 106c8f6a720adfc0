"""A segmented corpus: text with its words, the output of `segment`."""

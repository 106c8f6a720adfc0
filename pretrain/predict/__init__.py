"""Use a model: fill [MASK]s, find wrong words, serve a page."""

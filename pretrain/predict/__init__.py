"""Use a model: fill blanks, find wrong words, serve a page."""

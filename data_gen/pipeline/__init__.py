"""Compose the stages for one block of documents. Writes no file."""

"""Sentence -> words: where the words of a sentence start and end."""

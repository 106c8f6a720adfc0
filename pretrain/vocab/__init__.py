"""Extend or shrink the vocabulary of a model."""

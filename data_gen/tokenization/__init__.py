"""Sentence -> wordpieces, each with its character offsets."""

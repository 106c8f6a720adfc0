"""Measure a model: losses on held-out records, and whether its head belongs to it."""

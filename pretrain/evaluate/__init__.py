"""Measure a model: losses on held-out records, and a check that its heads work."""

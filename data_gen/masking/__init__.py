"""Instances -> Examples: where to mask, and what to put there."""

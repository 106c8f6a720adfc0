"""Estimate the cost of a training before it starts, and measure the speed of a machine."""

"""Add wordpieces to a model or take them away."""

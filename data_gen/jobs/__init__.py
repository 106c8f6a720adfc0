"""The work of each command over a whole corpus."""

"""The benchmark of a build."""

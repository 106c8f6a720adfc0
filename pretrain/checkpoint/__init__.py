"""Write and read checkpoints and model folders."""

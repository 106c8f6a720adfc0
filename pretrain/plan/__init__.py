"""Say before a training what it takes, and measure how fast it is."""

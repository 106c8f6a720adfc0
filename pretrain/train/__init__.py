"""Train a model: state, step, loop, journal and output folder."""

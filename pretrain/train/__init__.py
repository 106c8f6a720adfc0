"""Train: step, optimizers, loop, journal."""

"""The tasks that a checkpoint is judged by: their data, labels, measures and published results."""

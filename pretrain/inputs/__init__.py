"""TFRecords -> batches, and the check that they fit the model."""

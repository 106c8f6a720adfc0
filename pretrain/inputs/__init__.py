"""Read TFRecords into batches, and check that they fit the model."""

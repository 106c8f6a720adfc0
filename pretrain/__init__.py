"""BERT pre-training on TensorFlow 1.15 to the newest, from the TFRecords of `data_gen`."""

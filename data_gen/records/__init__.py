"""Examples <-> TFRecords, shuffled globally."""

"""Read the results of fine-tuning, test differences, and write tables."""

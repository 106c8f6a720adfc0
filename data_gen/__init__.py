"""Chinese text to TFRecords of masked pairs: whole words, n-grams, MLM as correction, sentence
order.
"""

__version__ = "0.1.0"

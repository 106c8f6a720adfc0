"""BERT and its heads as functions over a dict of variables with Google's names."""

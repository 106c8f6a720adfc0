"""Models in and out: BERT releases of TensorFlow 1, Hugging Face, SavedModel."""

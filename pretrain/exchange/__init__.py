"""Import and export models: BERT releases of TensorFlow 1, Hugging Face, SavedModel."""

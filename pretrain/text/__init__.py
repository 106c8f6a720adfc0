"""Text -> wordpieces for a model. Alone in `pretrain` to use the generator's tokenizers."""

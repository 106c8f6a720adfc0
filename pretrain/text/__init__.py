"""Turn text into wordpieces for a model. No other folder of `pretrain` uses the generator's
tokenizers and readers.
"""

"""The official metric of CMRC 2018, and the tokenizer of NLTK that it needs."""

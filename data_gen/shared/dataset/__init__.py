"""The files of a data set and of a table of similar words, as both packages read them."""

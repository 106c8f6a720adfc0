"""Files -> Documents: the same blocks of text, whatever reads them."""

"""What a file is, told from its name and first bytes: a form, an encoding, or no text at all."""

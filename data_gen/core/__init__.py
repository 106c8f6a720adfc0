"""Values and small tools that every stage uses. Opens no file."""

"""The error that is meant for the user."""


class UserError(Exception):
    """Something that the user can put right; the text says how. Ends a command with exit code 1."""

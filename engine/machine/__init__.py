"""The computer and its cards."""

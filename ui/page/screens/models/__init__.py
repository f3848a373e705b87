"""The screen of the models."""

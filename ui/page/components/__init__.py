"""Pieces of HTML that several screens use."""

"""Wheels: their content, and the place of each file in an installation."""

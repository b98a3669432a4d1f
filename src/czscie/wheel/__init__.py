"""Wheels: what they hold, and where an installation puts each file."""

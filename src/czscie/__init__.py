"""czscie: a Python program as one native executable per platform."""

__version__ = "0.1.0"

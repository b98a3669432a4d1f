"""A part."""


def twice(x):
    """Doubles."""
    return x * 2

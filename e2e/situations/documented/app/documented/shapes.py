"""Shapes and their areas."""


def area(side: int) -> int:
    """Of a square.

    In squares.
    """
    return side**2

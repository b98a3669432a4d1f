"""A part."""


def work(count):
    """Adds numbers."""
    total = 0
    for each in range(count):
        total += each
    return total

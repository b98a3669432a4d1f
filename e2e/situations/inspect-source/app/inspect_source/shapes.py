import functools


# It has sides.
class Shape:
    """A shape."""

    def __init__(self, sides: int = 3) -> None:
        self.sides = sides

    def area(self):
        return self.sides**2


def decorate(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@decorate
def wrapped(x):
    return x

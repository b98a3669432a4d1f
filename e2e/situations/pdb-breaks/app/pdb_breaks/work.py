def compute(x):
    y = x + 1
    z = y * 2
    return later(z)


def later(z):
    # The last one.
    return z - 1

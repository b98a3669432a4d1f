from numba import njit


@njit(cache=True)
def total(count):
    added = 0
    for each in range(count):
        added += each
    return added

import io

import numba
import numpy


@numba.njit
def total(values):
    added = 0.0
    for each in values:
        added += each
    return added


@numba.vectorize(["float64(float64)"], cache=True)
def halved(value):
    return value / 2


def main():
    values = numpy.arange(5.0)
    print(total(values), halved(values).tolist(), total.signatures)
    told = io.StringIO()
    total.inspect_types(file=told)
    print("added += each" in told.getvalue())

from libc.math cimport sqrt


def root(double x):
    return sqrt(x)

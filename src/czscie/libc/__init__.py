"""A C library of its own for an executable: taken from Debian's packages, used where the host has none."""

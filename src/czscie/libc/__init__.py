"""The bundled C library of an executable, from Debian's packages, for hosts that have none."""

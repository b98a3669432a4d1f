"""How hard a part is compressed, as zstd's levels.

Of CPython 3.13's 33 MB, level 9 makes 12.9 MB in 1.2 s of processor time, level 12 12.8 MB in 2.8 s, and
level 19 11.7 MB in 22 s: from 16 on zstd looks for the best parse. All decompress as fast.
"""

#: Unless the manifest says one: what a first build can bear.
DEFAULT_LEVEL = 9
#: For a release. Beyond it windows grow, which the launcher allocates, and the file shrinks by 0.04%.
RELEASE_LEVEL = 19

_BEST_PARSE = 16


def xz_preset(level: int) -> int:
    """The preset of xz for blocks of sources in a part of zstd's `level`.

    Of the sources of a standard library, preset 6 makes 10% less than preset 3, in three times the time.
    """
    return 6 if level >= _BEST_PARSE else 3

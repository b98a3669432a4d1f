"""Compiles modules. Runs in the interpreter that will load them: CPython 3.9 to 3.15, `python -I -S -B`.

Reads from standard input, for each module, two lengths (bytes, big-endian, 4 each), the name its code objects
have for their file, and its source. Writes to standard output CPython's magic number, the length of its cache
tag (one byte) and the tag, and then, for each module, the length of the marshalled code and the code: 0 where
the source does not compile.
"""

import marshal
import sys

from _frozen_importlib_external import MAGIC_NUMBER


def main():
    read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
    tag = sys.implementation.cache_tag.encode()
    write(MAGIC_NUMBER + bytes([len(tag)]) + tag)
    while lengths := read(8):
        name = read(int.from_bytes(lengths[:4], "big")).decode("utf-8", "surrogateescape")
        source = read(int.from_bytes(lengths[4:], "big"))
        try:
            code = marshal.dumps(compile(source, name, "exec", dont_inherit=True, optimize=0))
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            code = b""
        write(len(code).to_bytes(4, "big") + code)


main()

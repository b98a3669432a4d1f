"""Compiles modules. Runs in the interpreter that will load them: CPython 3.9 to 3.15, `python -s -S -B`.

Reads from standard input, for each module, two lengths (bytes, big-endian, 4 each), the name its code objects
have for their file, and its source. Writes to standard output CPython's magic number, the length of its cache
tag (one byte) and the tag, and then, for each module, a letter, a length of four bytes, and so many bytes of
marshalled code. The letter is `.`, `E` for a source that does not compile, or what it has too much of: `L`
length, `N` nesting, `M` memory, `F` `finally` in one another.

A module that crashes the compiler, or takes more time than any needs and is ended by SIGPROF, has no answer.
"""

import _ast
import _signal
import marshal
import sys

from _frozen_importlib_external import MAGIC_NUMBER

#: Bytes of a source.
_LARGEST = 8 << 20
#: Nodes that `finally` may make of a module, of which the compiler copies the body to each way out.
_MOST_COPIES = 2_000_000
_FEW = 4
#: Of the processor.
_SECONDS = 120


def main():
    read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
    tag = sys.implementation.cache_tag.encode()
    write(MAGIC_NUMBER + bytes([len(tag)]) + tag)
    sys.stdout.buffer.flush()
    _make_singletons()
    limited = hasattr(_signal, "ITIMER_PROF")
    while lengths := read(8):
        if limited:
            _signal.setitimer(_signal.ITIMER_PROF, _SECONDS)
        name = read(int.from_bytes(lengths[:4], "big")).decode("utf-8", "surrogateescape")
        letter, code = compiled(name, read(int.from_bytes(lengths[4:], "big")))
        write(letter + len(code).to_bytes(4, "big") + code)
        sys.stdout.buffer.flush()


def _make_singletons():
    """Makes what CPython keeps once it was made: single bytes, and characters, interned as names are.

    Marshal tells them from what nothing else refers to, and the code of a module must not depend on what was
    compiled before it.
    """
    for number in range(256):
        sys.intern(chr(number))
        bytes((number,))


def compiled(name, source):
    if len(source) > _LARGEST:
        return b"L", b""
    try:
        if source.count(b"finally") > _FEW and copies(source) > _MOST_COPIES:
            return b"F", b""
        return b".", marshal.dumps(compile(source, name, "exec", dont_inherit=True, optimize=0))
    except MemoryError:  # which is also what CPython's parser says of nesting
        return b"M", b""
    except RecursionError:
        return b"N", b""
    except (SyntaxError, ValueError, OverflowError, SystemError):
        return b"E", b""


def copies(source):
    """The number of nodes that the compiler visits, counting each copy of the body of a `finally`."""

    def of_all(statements, unwound):
        return sum(of(each, unwound) for each in statements)

    def of(node, unwound):
        if isinstance(node, (_ast.Return, _ast.Break, _ast.Continue)):
            return 1 + unwound
        last = of_all(getattr(node, "finalbody", ()), unwound)
        if last > _MOST_COPIES:
            return last
        inside = (getattr(node, name, ()) for name in ("body", "orelse", "handlers", "cases"))
        return 1 + 2 * last + sum(of_all(each, unwound + last) for each in inside if isinstance(each, list))

    return of_all(compile(source, "", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True).body, 0)


main()

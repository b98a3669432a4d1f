"""Has pex write a PEX: `python -m czscie.czex.call_pex`.

A process of its own, because an import of pex changes `sys.path`. Reads from standard input as JSON: `info`
(the text of PEX-INFO), `wheels` (their paths and SHA-256 digests), `sources` (a directory), `prefix` (what
precedes the zip: the line `#!` and more) and `output`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    call = json.load(sys.stdin)
    try:
        _write(call)
    except Exception as error:  # pex lets any error of its parsers through
        sys.stderr.write(f"{error or type(error).__name__}\n")
        return 1
    return 0


def _write(call: dict[str, Any]) -> None:
    from pex.dist_metadata import Distribution
    from pex.pex_builder import PEXBuilder
    from pex.pex_info import PexInfo

    builder = PEXBuilder(pex_info=PexInfo.from_json(call["info"]))
    for wheel, digest in call["wheels"]:
        builder.add_distribution(Distribution.load(wheel), fingerprint=digest)
    sources = Path(call["sources"])
    for source in sorted(sources.rglob("*")):
        if source.is_file():
            builder.add_source(str(source), source.relative_to(sources).as_posix())
    first, _, rest = call["prefix"].partition("\n")
    if first.startswith("#!"):
        builder.set_shebang(first)
        if rest:
            builder.set_header(rest)
    builder.freeze(bytecode_compile=False)
    builder.build(call["output"], bytecode_compile=False, deterministic=True)


if __name__ == "__main__":
    sys.exit(main())

"""Compiles modules with the Python that will load them, or with one whose bytecode is the same."""

from __future__ import annotations

import marshal
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from czscie.container.content import Data, File
from czscie.errors import CzscieError

#: A regular expression: the finder's hash of it (8 bytes) and the marshalled arguments of `_sre.compile`.
Expression = tuple[bytes, bytes]

#: All of it: nothing of the user's settings changes what modules compile to, hashes of strings included.
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True, slots=True)
class Compiler:
    """A Python that runs here. `magic` is its bytecode's magic number (4 bytes), `tag` that of its caches.

    Compilers of one `identity` make the same of the same.
    """

    python: Path
    identity: str
    magic: bytes
    tag: str

    @classmethod
    def probe(cls, python: Path, identity: str) -> Compiler | None:
        """The compiler that `python` is; None where it does not run here."""
        try:
            answer = _run(python, b"")
        except (OSError, subprocess.SubprocessError):
            return None
        return cls(python, identity, answer[:4], answer[5:].decode()) if len(answer) > 5 else None

    def compile(self, sources: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """The marshalled code objects of `sources`, pairs of a file's name for tracebacks and its text.

        Empty where one does not compile. The same sources give the same bytes as long as they are the same in
        number and order: marshal tells objects that are shared from those that are not. Raises CzscieError
        when the Python fails.
        """
        request = b"".join(
            len(encoded := name.encode("utf-8", "surrogateescape")).to_bytes(4, "big")
            + len(source).to_bytes(4, "big")
            + encoded
            + source
            for name, source in sources
        )
        answer = self._answer(request, "compile_modules.py")
        codes, at = [], 5 + answer[4]
        for _ in sources:
            size = int.from_bytes(answer[at : at + 4], "big")
            codes.append(answer[at + 4 : at + 4 + size])
            at += 4 + size
        return codes

    def cached(self, path: str, code: bytes) -> File:
        """The bytecode of the source at `path`, where its Python looks for it (PEP 3147).

        It is never compared with the source (PEP 552).
        """
        directory, separator, name = path.rpartition("/")
        data = self.magic + (1).to_bytes(4, "little") + bytes(8) + code
        return File(
            f"{directory}{separator}__pycache__/{name.removesuffix('.py')}.{self.tag}.pyc", Data(data)
        )

    def expressions(self, sources: Iterable[bytes]) -> list[Expression]:
        """The regular expressions that the modules `sources` are seen to compile, compiled; sorted.

        Raises CzscieError when the Python fails.
        """
        request = b"".join(len(source).to_bytes(4, "big") + source for source in sources)
        answer: list[Expression] = marshal.loads(self._answer(request, "compile_expressions.py"))
        return answer

    def _answer(self, request: bytes, program: str) -> bytes:
        try:
            return _run(self.python, request, program)
        except (OSError, subprocess.SubprocessError) as error:
            raise CzscieError(
                f"{self.python} failed to compile modules",
                why=str(error),
                mend='leave them as they are: [lift.pack] stdlib = false, packages = "none"',
            ) from error


def _run(python: Path, request: bytes, name: str = "compile_modules.py") -> bytes:
    program = resources.files("czscie.pack").joinpath(name).read_text()
    command = [str(python), "-I", "-S", "-B", "-W", "ignore", "-c", program]
    done = subprocess.run(
        command,
        input=request,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        env=_ENVIRONMENT,
    )
    return done.stdout

"""The licence texts in archives and wheels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from czscie.container.content import File
from czscie.container.untrusted_zip import files_in_zip, open_zip
from czscie.pbs.archive import ROOT, read_archive

_TEXT = re.compile(r"(LICEN[CS]ES?|COPYING|NOTICE|AUTHORS|COPYRIGHT)([-._].*)?", re.IGNORECASE)
_DIST_INFO = re.compile(r"[^/]+\.dist-info")


def licences_of_interpreter(archive: Path, root: str = ROOT) -> Iterator[tuple[str, bytes]]:
    """The texts in an interpreter's archive but those of installed packages, by their names.

    `root` is the directory that the archive has everything in. Raises CzscieError when it is damaged.
    """
    for item in read_archive(archive, root):
        path = PurePosixPath(item.path)
        if isinstance(item, File) and "site-packages" not in path.parts and _TEXT.fullmatch(path.name):
            yield path.name, item.content.read()


def licences_of_wheel(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """The texts in a wheel's metadata, by their paths there (PEP 639). Raises CzscieError."""
    with open_zip(wheel, wheel.name) as archive:
        for file in files_in_zip(lambda: archive, wheel.name):
            directory, *inner = PurePosixPath(file.path).parts
            if not inner or not _DIST_INFO.fullmatch(directory):
                continue
            if inner[0] in ("licenses", "license_files") or _TEXT.fullmatch(inner[-1]):
                yield "/".join(inner[1:] if len(inner) > 1 else inner), file.content.read()

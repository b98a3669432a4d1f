"""An icon: a file of images in several sizes, and its resources in an executable.

Sources: Microsoft's "Icons", https://learn.microsoft.com/previous-versions/ms997538(v=msdn.10), and its
GRPICONDIR.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular
from czscie.windows.resources import GROUP_ICON, ICON, Resource

_HEADER = struct.Struct("<HHH")
_ENTRY = struct.Struct("<8sII")
_GROUP_ENTRY = struct.Struct("<8sIH")
_IS_ICON = 1
_PNG = b"\x89PNG\r\n\x1a\n"
#: The size of a BITMAPINFOHEADER, which is its first field.
_BITMAP = struct.pack("<I", 40)
#: Windows shows images of up to 256 by 256 pixels.
_FILE_MAX = 16 << 20
_COUNT_MAX = 64


def read_icon(path: Path) -> tuple[Resource, ...]:
    """The resources of the icon at `path`. Raises CzscieError when it is unreadable or invalid."""
    try:
        with open_regular(path) as file:
            data = file.read(_FILE_MAX + 1)
    except OSError as error:
        raise CzscieError(
            f"lift.windows.icon: cannot read {path}",
            code=Code.FILE_UNREADABLE,
            why=error.strerror or str(error),
        ) from error
    if len(data) > _FILE_MAX:
        raise _refused(path, f"it is larger than {_FILE_MAX >> 20} MiB")
    images = list(_images(path, data))
    rows = (
        _GROUP_ENTRY.pack(description, len(image), number)
        for number, (description, image) in enumerate(images, 1)
    )
    group = _HEADER.pack(0, _IS_ICON, len(images)) + b"".join(rows)
    icons = (Resource(ICON, number, image) for number, (_, image) in enumerate(images, 1))
    return (*icons, Resource(GROUP_ICON, 1, group))


def _images(path: Path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The directory entry of each image, and the image."""
    if len(data) < _HEADER.size:
        raise _refused(path, "it is too short")
    reserved, kind, count = _HEADER.unpack_from(data)
    if (reserved, kind) != (0, _IS_ICON):
        raise _refused(
            path, "it is a PNG file" if data.startswith(_PNG) else "it does not begin with an icon's header"
        )
    if not 0 < count <= _COUNT_MAX or len(data) < _HEADER.size + count * _ENTRY.size:
        raise _refused(path, f"its header counts {count} images")
    for number in range(count):
        description, size, offset = _ENTRY.unpack_from(data, _HEADER.size + number * _ENTRY.size)
        image = data[offset : offset + size]
        if len(image) != size or not image.startswith((_PNG, _BITMAP)):
            raise _refused(path, f"image {number + 1} of it is damaged")
        yield description, image


def _refused(path: Path, why: str) -> CzscieError:
    return CzscieError(
        f"lift.windows.icon: {path} is not a valid icon",
        code=Code.ICON_INVALID,
        why=why,
        hint="make an .ico file, for instance with ImageMagick: magick logo.png -define "
        "icon:auto-resize=256,48,32,16 logo.ico",
    )

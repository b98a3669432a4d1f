"""A version resource: the details of a program in Explorer and the Task Manager.

Source: Microsoft's VS_VERSIONINFO, https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from czscie.windows.resources import VERSION, Resource

_HEADER = struct.Struct("<HHH")
_FIXED = struct.Struct("<13I")
_SIGNATURE, _STRUCTURE_VERSION = 0xFEEF04BD, 0x00010000
_FLAGS_MASK, _NT_WINDOWS32, _APPLICATION = 0x3F, 0x00040004, 1
_BINARY, _TEXT = 0, 1
#: The neutral language, and UTF-16.
_LANGUAGE, _UTF_16 = 0, 1200


def version_resource(version: str, strings: Mapping[str, str]) -> Resource:
    """`version` is one to four numbers of at most 65535 with dots between them; `strings` are by their names
    in a StringFileInfo, in this order.
    """
    numbers = [*map(int, version.split(".")), 0, 0, 0][:4]
    high, low = numbers[0] << 16 | numbers[1], numbers[2] << 16 | numbers[3]
    fixed = _FIXED.pack(
        *(_SIGNATURE, _STRUCTURE_VERSION, high, low, high, low),
        *(_FLAGS_MASK, 0, _NT_WINDOWS32, _APPLICATION, 0, 0, 0),
    )
    rows = b"".join(_padded(_string(name, text)) for name, text in strings.items())
    table = _block(f"{_LANGUAGE:04x}{_UTF_16:04x}", b"", 0, _TEXT, rows)
    translation = struct.pack("<HH", _LANGUAGE, _UTF_16)
    variables = _block("Translation", translation, len(translation), _BINARY)
    info = _padded(_block("StringFileInfo", b"", 0, _TEXT, table))
    info += _block("VarFileInfo", b"", 0, _TEXT, variables)
    return Resource(VERSION, 1, _block("VS_VERSION_INFO", fixed, len(fixed), _BINARY, info))


def _string(name: str, text: str) -> bytes:
    value = f"{text}\0".encode("utf-16-le")
    return _block(name, value, len(value) // 2, _TEXT)


def _block(key: str, value: bytes, value_length: int, kind: int, children: bytes = b"") -> bytes:
    """The value and children begin on multiples of 4; `value_length` counts bytes, or of a text its units."""
    name = f"{key}\0".encode("utf-16-le")
    body = _padded(bytes(_HEADER.size) + name)
    body = body + value if not children else _padded(body + value) + children
    return _HEADER.pack(len(body), value_length, kind) + body[_HEADER.size :]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

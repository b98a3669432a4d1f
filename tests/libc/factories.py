"""Debian packages made by hand, a mirror of them, and parts with ELF files in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

import zstandard

from czscie.libc.packages import ARCHITECTURES, PackageTable, PinnedPackage
from czscie.platforms import find_platform
from elf_image import elf_image

X86_64 = find_platform("linux-x86_64")
MUSL = find_platform("musl-linux-x86_64")
DIRECTORY = "usr/lib/x86_64-linux-gnu"

_PACK = {"xz": lzma.compress, "zst": zstandard.compress, "gz": gzip.compress}


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A tar with names as Debian has them, `./usr/…`, and its directories."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        directory = tarfile.TarInfo("./usr/")
        directory.type = tarfile.DIRTYPE
        archive.addfile(directory)
        for path, content in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for path, target in (links or {}).items():
            member = tarfile.TarInfo(f"./{path}")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return out.getvalue()


def ar(members: Mapping[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, content in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out


def deb(files: Mapping[str, bytes], links: Mapping[str, str] | None = None, compression: str = "xz") -> bytes:
    data = _PACK[compression](tar(files, links))
    return ar(
        {
            "debian-binary": b"2.0\n",
            f"control.tar.{compression}": _PACK[compression](tar({})),
            f"data.tar.{compression}": data,
        }
    )


def library(*needed: str) -> bytes:
    return elf_image(interpreter=None, needed=needed)


def packages() -> dict[str, bytes]:
    """What a Debian has of the C library, by the packages' names."""
    always = ("libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libresolv.so.2")
    return {
        "libc6": deb(
            {
                f"{DIRECTORY}/ld-linux-x86-64.so.2": library(),
                f"{DIRECTORY}/libc.so.6": library("ld-linux-x86-64.so.2"),
                **{f"{DIRECTORY}/{name}": library("libc.so.6") for name in always},
                f"{DIRECTORY}/libmvec.so.1": library("libm.so.6"),
                f"{DIRECTORY}/gconv/UTF-16.so": library(),
                "usr/share/doc/libc6/copyright": b"LGPL",
            },
            {"usr/lib64/ld-linux-x86-64.so.2": "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"},
        ),
        "libc-bin": deb(
            {
                "usr/lib/locale/C.utf8/LC_CTYPE": b"types",
                "usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES": b"messages",
            }
        ),
        "libgcc-s1": deb({f"{DIRECTORY}/libgcc_s.so.1": library("libc.so.6")}),
        "libstdc++6": deb(
            {f"{DIRECTORY}/libstdc++.so.6.0.33": library("libgcc_s.so.1")},
            {f"{DIRECTORY}/libstdc++.so.6": "libstdc++.so.6.0.33"},
            "zst",
        ),
        "libatomic1": deb({f"{DIRECTORY}/libatomic.so.1": library("libc.so.6")}),
        "libcrypt1": deb({f"{DIRECTORY}/libcrypt.so.1": library("libc.so.6")}),
        "gcc-14-base": deb({"usr/share/doc/gcc-14-base/copyright": b"GPL with exceptions"}),
        "musl": deb(
            {"usr/lib/x86_64-linux-musl/libc.so": library(), "usr/share/doc/musl/copyright": b"MIT"},
            {"usr/lib/ld-musl-x86_64.so.1": "x86_64-linux-musl/libc.so"},
        ),
    }


def mirror(directory: Path) -> PackageTable:
    """Writes a mirror of `packages` into `directory` and returns the table that pins them."""
    pinned = []
    for name, data in packages().items():
        path = f"pool/main/{name}_2.41-12+deb13u4_amd64.deb"
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)
        pinned.append(
            PinnedPackage(
                name=name,
                version="2.41-12+deb13u4",
                architecture=ARCHITECTURES["x86_64"][0],
                source=name,
                path=path,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )
    return PackageTable("Debian 13 (test)", directory.as_uri(), tuple(pinned))

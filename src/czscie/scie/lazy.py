"""Parts that an executable does not contain: what the launcher needs to know to have them installed."""

from __future__ import annotations

import hashlib

import msgspec

from czscie.container.manifest import FETCHER, LazyPart
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.lift import Lift
from czscie.network.url import file_path, is_file
from czscie.pbs.provider import Source
from czscie.platforms import Platform

#: Changes when the fetcher would make something else of the same parts.
_INSTALLATION = "czscie-lazy 1"


def fetcher_path(platform: Platform) -> str:
    """Where commands find the fetcher (native/src/lazy.zig)."""
    return f"{{{FETCHER}}}/{fetcher_name(platform)}"


def fetcher_name(platform: Platform) -> str:
    """The name of the fetcher in its part."""
    return f"czscie-fetch{platform.executable_suffix}"


def lazy_interpreter(identifier: str, source: Source) -> LazyPart:
    """The interpreter called `identifier`, whose archive `source` is."""
    assert source.remote is not None
    return _named(
        LazyPart(
            name=identifier,
            kind="interpreter",
            digest="",
            fetched=source.remote.name,
            type="tar.gz",
            size=source.size,
            hash=source.digest,
        ),
        "",
    )


def interpreter_url(source: Source) -> str:
    """Where a start downloads the archive of `source`: from its release or the manifest's mirror.

    A lock has no URL of a mirror that is a directory: it is where a directory has the file.
    """
    assert source.remote is not None
    directories = filter(is_file, source.remote.urls)
    return source.pin.url or next((url for url in directories if file_path(url).is_file()), source.url)


def lazy_file(lift: Lift, file: EmbeddedFile) -> LazyPart:
    """A file with a URL, or one that a binding of `lift` prints."""
    binding, digest = file.binding, file.digest
    part = LazyPart(
        name=file.id,
        kind="files",
        digest="",
        fetched=file.name.rpartition("/")[2] if binding is None else file.name,
        type=file.kind,
        path=file.name,
        size=None if digest is None else digest.size,
        hash=None if digest is None else digest.fingerprint,
        executable=bool(file.is_executable),
        source=binding,
    )
    # Without a hash, the file is what this lift's binding prints.
    bindings = [each for each in lift.bindings if each.name == binding]
    return _named(part, "" if part.hash is not None else repr((lift.name, bindings)))


def _named(part: LazyPart, own: str) -> LazyPart:
    """`part` with the name of its installation, which stands for all that shapes it and is the same in every
    executable.
    """
    what = msgspec.json.encode(
        (_INSTALLATION, part.kind, part.type, part.path, part.hash, part.executable, own)
    )
    return msgspec.structs.replace(part, digest=hashlib.sha256(what).hexdigest())

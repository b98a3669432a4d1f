"""The bill of materials of one executable, assembled from the metadata of its parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec

from czscie import __version__
from czscie.build_cache import key_of, knowledge
from czscie.container.manifest import FETCHER, FILES, LIBC, PAYLOAD
from czscie.filesystem import path_digest
from czscie.launchers.build import source_digest
from czscie.network.url import without_secrets
from czscie.sbom.component import SOURCE, TREE, Component
from czscie.sbom.document import Application, BillPart

if TYPE_CHECKING:
    from czscie.libc.packages import PackageTable, PinnedPackage
    from czscie.lift.embedded_file import EmbeddedFile
    from czscie.lift.lift import Lift
    from czscie.pbs.provider import Source
    from czscie.platforms import Platform

__all__ = ["SCRIPTS", "BillPart", "document", "files", "interpreter", "launcher", "libc"]

#: The part of the bill with what scripts are started by on Windows.
SCRIPTS = "scripts"


class Rendered(msgspec.Struct, frozen=True):
    """A cached document."""

    text: str


def interpreter(identifier: str, source: Source, components: Sequence[Component]) -> BillPart:
    """The interpreter called `identifier`. The first of its `components` is CPython, from `source`."""
    cpython, *others = components
    properties = {**cpython.properties, "czscie:interpreter": source.description}
    # The digest of a tree is that of no file.
    if source.is_tree:
        properties[TREE] = source.digest
    # Paths are the build machine's own.
    url = source.url if urlsplit(source.url).scheme in ("http", "https") else None
    cpython = msgspec.structs.replace(
        cpython, sha256=None if source.is_tree else source.digest, url=url, properties=properties
    )
    return BillPart(identifier, (cpython, *others), (cpython.reference,))


def files(located: Sequence[tuple[EmbeddedFile, Path]], lazy: Sequence[EmbeddedFile]) -> BillPart:
    """The embedded files, each with its path on this machine, and the lazy ones. Archives count as a file."""
    components = [*lazy_files(lazy)]
    for file, path in located:
        digest = path_digest(path)
        told: dict[str, Any] = {"properties": {TREE: digest}} if path.is_dir() else {"sha256": digest}
        components.append(Component(reference=file.id, name=file.name, kind="file", **told))
    return BillPart(FILES, components, [component.reference for component in components])


def lazy_files(lazy: Sequence[EmbeddedFile]) -> Sequence[Component]:
    """Files that are fetched at a start, if their digest is known."""
    return [
        Component(
            reference=file.id,
            name=file.name,
            kind="file",
            sha256=file.digest.fingerprint,
            url=None if file.url is None else without_secrets(file.url),
        )
        for file in lazy
        if file.digest is not None and file.digest.fingerprint is not None
    ]


def fetcher(path: Path) -> BillPart:
    """The program that fetches what is not in the executable."""
    component = Component(
        reference="fetcher",
        name="czscie-fetch",
        kind="application",
        version=__version__,
        description="Fetches parts that the executable does not contain",
        purl=f"pkg:generic/czscie-fetch@{__version__}",
        licences=("Apache-2.0",),
        sha256=path_digest(path),
        properties={SOURCE: source_digest()},
    )
    return BillPart(FETCHER, (component,), (component.reference,))


def launcher(path: Path) -> BillPart:
    from czscie.sbom.launcher import launcher_components

    components = launcher_components(path_digest(path))
    return BillPart("launcher", components, (components[0].reference,))


def libc(table: PackageTable, packages: Sequence[PinnedPackage]) -> BillPart:
    """The C library out of Debian's `packages`, which `table` pins."""
    components = tuple(
        Component(
            reference=package.name,
            name=package.name,
            version=package.version,
            description=f"A package of {table.release}",
            purl=package.package_url,
            licences=(package.licence,),
            sha256=package.sha256,
            url=f"{table.url}/{quote(package.path)}" if urlsplit(table.url).scheme != "file" else None,
            properties={"czscie:source": package.source},
        )
        for package in packages
    )
    return BillPart(LIBC, components, [component.reference for component in components])


def document(
    lift: Lift, platform: Platform, parts: Sequence[BillPart], properties: Mapping[str, str]
) -> bytes:
    """The document about the executable of `lift` for `platform`, from the cache if it has it.

    `properties` are the application's.
    """
    version = _version(lift.name, parts)
    application = Application(lift.name, version, lift.description, platform.name, dict(properties))
    everything = msgspec.json.encode((application, parts))
    return knowledge(
        key_of("sbom", hashlib.sha256(everything).hexdigest()),
        Rendered,
        lambda: _render(application, parts),
    ).text.encode()


def _render(application: Application, parts: Sequence[BillPart]) -> Rendered:
    from czscie.sbom.document import render

    return Rendered(render(application, parts).decode())


def _version(name: str, parts: Sequence[BillPart]) -> str | None:
    """The application's version: that of the wheel with its name."""
    project = re.sub(r"[-_.]+", "-", name).lower()
    for part in parts:
        for component in part.components:
            if part.name == PAYLOAD and component.reference == project:
                return component.version
    return None

"""Python packages in a bill of materials: name, version and licence from their metadata."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from czscie.container.content import File
from czscie.container.tree import Item
from czscie.pbs.distribution import Layout
from czscie.sbom.component import STAYING, WHEEL, Component
from czscie.sbom.libraries import bundled_libraries
from czscie.wheel.findings import finding

if TYPE_CHECKING:
    from czscie.wheel.wheel import Wheel

#: Classifiers that mean one licence of SPDX's list. "BSD License" and the like mean several.
_SPDX: Mapping[str, str] = {
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
#: Directories for libraries: `numpy.libs`, `numpy/.dylibs`.
_REPAIRED = re.compile(r"(^|/)([^/]+\.libs|\.dylibs)/")

#: A License field that is longer holds the licence's text, not its name.
_NAME_LENGTH_MAX = 100


class Libraries(msgspec.Struct, frozen=True):
    """The cached findings about the libraries in one wheel."""

    components: tuple[Component, ...]


def wheel_components(
    wheels: Iterable[Wheel],
    needs: Mapping[str, Collection[str]],
    staying: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Component, ...]:
    """The `wheels` by project, each with the libraries in it; `needs` are the projects that each requires.

    `staying` are the reasons why modules of projects are files in spite of packing. The digest is that of the
    wheel file, and missing where the PEX does not have it as a file any more.
    """
    found: list[Component] = []
    for wheel in sorted(wheels, key=lambda wheel: wheel.project):
        libraries = [
            msgspec.structs.replace(library, reference=f"{wheel.project}/{library.reference}")
            for library in _libraries_of(wheel)
        ]
        required = (*needs.get(wheel.project, ()), *(library.reference for library in libraries))
        properties = {WHEEL: wheel.filename}
        if (reason := staying.get(wheel.project)) is not None:
            properties[STAYING] = reason
        component = _component(
            _metadata(wheel),
            reference=wheel.project,
            sha256=wheel.digest,
            needs=tuple(sorted(required)),
            properties=properties,
        )
        found += [component, *libraries]
    return tuple(found)


def _libraries_of(wheel: Wheel) -> tuple[Component, ...]:
    """The libraries in the wheel; of a wheel file, from the cache."""

    def find() -> Libraries:
        return Libraries(bundled_libraries(wheel.members, _is_repaired))

    return finding(wheel, Libraries, find).components


def _is_repaired(path: str) -> bool:
    """Whether auditwheel, delocate or delvewheel put the file there: a library that the wheel needs."""
    return _REPAIRED.search(path) is not None


def packages_beside(items: Iterable[Item], layout: Layout) -> Iterator[Component]:
    """The packages installed in an interpreter, and the wheels that its ensurepip would install."""
    metadata = re.compile(rf"{re.escape(layout.stdlib)}/site-packages/[^/]+\.dist-info/METADATA")
    bundled = re.compile(rf"{re.escape(layout.stdlib)}/ensurepip/_bundled/([^/]+\.whl)")
    for item in items:
        if not isinstance(item, File):
            continue
        if metadata.fullmatch(item.path):
            yield _component(item.content.read(), places=(item.path.rpartition("/")[0],))
        elif match := bundled.fullmatch(item.path):
            data = item.content.read()
            with zipfile.ZipFile(io.BytesIO(data)) as wheel:
                name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
                yield _component(
                    wheel.read(name),
                    reference=f"ensurepip/{match[1]}",
                    sha256=hashlib.sha256(data).hexdigest(),
                    places=(item.path,),
                    properties={WHEEL: match[1]},
                )


def declared_licences(metadata: bytes) -> tuple[str, ...]:
    """The licences in a METADATA, as SPDX expressions if it has them.

    PEP 639's License-Expression comes first, then a License that is such an expression, too, then
    classifiers, then the first line of any License.
    """
    from packaging.metadata import parse_email

    raw, _ = parse_email(metadata)
    text = (raw.get("license") or "").strip()
    for expression in (raw.get("license_expression"), text):
        if expression and (canonical := _expression(expression)):
            return (canonical,)
    found = [
        _SPDX.get(name, name)
        for classifier in raw.get("classifiers", ())
        if classifier.startswith("License ::")
        # "OSI Approved" alone does not name a licence.
        and (name := classifier.rpartition(" :: ")[2].strip()) != "OSI Approved"
    ]
    if not found and text and text.upper() != "UNKNOWN":
        first = text.splitlines()[0].strip()
        found = [first[:_NAME_LENGTH_MAX]]
    return tuple(dict.fromkeys(found))


def _expression(text: str) -> str | None:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


def _metadata(wheel: Wheel) -> bytes:
    path = f"{wheel.dist_info}/METADATA"
    return next(member.content.read() for member in wheel.members if member.path == path)


def _component(
    metadata: bytes,
    reference: str = "",
    sha256: str | None = None,
    places: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    properties: Mapping[str, str] | None = None,
) -> Component:
    from packaging.metadata import parse_email
    from packaging.utils import canonicalize_name

    raw, _ = parse_email(metadata)
    name, version = raw["name"], raw["version"]
    project = canonicalize_name(name)
    return Component(
        reference=reference or project,
        name=name,
        version=version,
        description=raw.get("summary"),
        purl=f"pkg:pypi/{project}@{quote(version)}",
        licences=declared_licences(metadata),
        sha256=sha256,
        places=places,
        needs=needs,
        properties=dict(properties or {}),
    )

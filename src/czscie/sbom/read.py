"""Reads an executable's own bill of materials: the inputs it was built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.sbom.component import TREE


@dataclass(frozen=True, slots=True)
class Recorded:
    """A component as the document has it; `sha256` is that of a file or, of a directory, of its tree.

    `licences` are expressions, identifiers or names.
    """

    name: str
    version: str | None
    sha256: str | None
    properties: Mapping[str, str]
    kind: str = "library"
    licences: tuple[str, ...] = ()


class _Hash(msgspec.Struct, frozen=True):
    alg: str
    content: str


class _Property(msgspec.Struct, frozen=True):
    name: str
    value: str = ""


class _Licence(msgspec.Struct, frozen=True):
    id: str | None = None
    name: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    license: _Licence | None = None
    expression: str | None = None

    @property
    def text(self) -> str | None:
        licence = self.license or _Licence()
        return self.expression or licence.id or licence.name


class _Component(msgspec.Struct, frozen=True, rename={"reference": "bom-ref", "kind": "type"}):
    reference: str
    name: str
    kind: str = "library"
    version: str | None = None
    hashes: tuple[_Hash, ...] = ()
    properties: tuple[_Property, ...] = ()
    licenses: tuple[_Choice, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    component: _Component


class _Document(msgspec.Struct, frozen=True):
    metadata: _Metadata
    components: tuple[_Component, ...] = ()


def read_bill(text: bytes, label: str) -> Mapping[str, Recorded]:
    """The components of the document `text` by reference, the application among them.

    Raises CzscieError, which calls the executable `label`, when czscie did not write it.
    """
    try:
        document = decode_json(text, _Document)
    except DocumentError as error:
        raise CzscieError(
            f"the bill of materials of {label} cannot be read", code=Code.EXECUTABLE_DAMAGED, why=str(error)
        ) from error
    return {each.reference: _recorded(each) for each in (document.metadata.component, *document.components)}


def _recorded(component: _Component) -> Recorded:
    hashes = {each.alg: each.content for each in component.hashes}
    properties = {each.name: each.value for each in component.properties}
    digest = hashes.get("SHA-256") or properties.get(TREE)
    licences = tuple(filter(None, (choice.text for choice in component.licenses)))
    return Recorded(component.name, component.version, digest, properties, component.kind, licences)

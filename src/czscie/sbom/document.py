"""The bill of materials as a document: CycloneDX 1.6, JSON. https://cyclonedx.org/docs/1.6/json/

Equal components give equal bytes: the document has no time, and its serial number is derived from its
content.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from czscie import __version__
from czscie.sbom.component import Component

if TYPE_CHECKING:
    from cyclonedx.model import component as cyclonedx_component
    from cyclonedx.model.component_evidence import ComponentEvidence
    from cyclonedx.model.license import License
    from packageurl import PackageURL

#: What names are put before that are made into a UUID (RFC 9562, version 5).
_NAMESPACE = "https://cyclonedx.org/docs/1.6/json/#serialNumber:"

#: How sure a version is that stands alone in a binary, without a word of what it is the version of.
_BARE = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class BillPart:
    """Components that belong together; `needed` are references of those that the application needs itself.

    `name` tells the components of one part from those of another.
    """

    name: str
    components: Sequence[Component]
    needed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Application:
    """The subject of the document."""

    name: str
    version: str | None
    description: str | None
    platform: str
    properties: Mapping[str, str] = field(default_factory=dict)


#: The library of licence expressions prepares itself at its first call, and answers wrongly meanwhile.
_rendering = threading.Lock()


def render(application: Application, parts: Sequence[BillPart]) -> bytes:
    """The document, UTF-8 with a line feed at its end."""
    with _rendering:
        return _render(application, parts)


def _render(application: Application, parts: Sequence[BillPart]) -> bytes:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component as CycloneDxComponent
    from cyclonedx.model.component import ComponentType
    from cyclonedx.model.dependency import Dependency
    from cyclonedx.output.json import JsonV1Dot6

    subject = CycloneDxComponent(
        name=application.name,
        type=ComponentType.APPLICATION,
        bom_ref="application",
        version=application.version,
        description=application.description,
        properties=[
            Property(name=name, value=value)
            for name, value in {"czscie:platform": application.platform, **application.properties}.items()
        ],
    )
    bom = Bom()
    bom.metadata.component = subject
    bom.metadata.tools.components.add(
        CycloneDxComponent(
            name="czscie",
            type=ComponentType.APPLICATION,
            version=__version__,
            purl=_purl(f"pkg:pypi/czscie@{__version__}"),
        )
    )
    made = {
        _reference(part, component.reference): _component(part, component)
        for part in parts
        for component in part.components
    }
    bom.components.update(made.values())
    direct = [made[_reference(part, needed)] for part in parts for needed in part.needed]
    bom.dependencies.add(Dependency(subject.bom_ref, [Dependency(each.bom_ref) for each in direct]))
    for part in parts:
        for component in part.components:
            needs = [Dependency(made[_reference(part, each)].bom_ref) for each in component.needs]
            bom.dependencies.add(Dependency(made[_reference(part, component.reference)].bom_ref, needs))
    return _sealed(json.loads(JsonV1Dot6(bom).output_as_string()))


def _sealed(document: dict[str, object]) -> bytes:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    metadata.pop("timestamp", None)
    document.pop("serialNumber", None)
    ordered = _in_order(document)
    assert isinstance(ordered, dict)
    serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{_NAMESPACE}{_compact(ordered)}")
    head = {key: ordered.pop(key) for key in ("$schema", "bomFormat", "specVersion")}
    whole = {**head, "serialNumber": f"urn:uuid:{serial_number}", **ordered}
    return f"{json.dumps(whole, indent=1, ensure_ascii=False)}\n".encode("utf-8", "replace")


def _in_order(value: object) -> object:
    """The same with members sorted by name and arrays by content: order has no meaning in the document, and
    the library's own varies.
    """
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=_compact)
    return value


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _reference(part: BillPart, reference: str) -> str:
    return f"{part.name}/{reference}"


def _component(part: BillPart, component: Component) -> cyclonedx_component.Component:
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        Property,
        XsUri,
    )
    from cyclonedx.model.component import Component as CycloneDxComponent
    from cyclonedx.model.component import ComponentType

    properties = dict(component.properties)
    if component.version is None:
        properties["czscie:version"] = "unknown"
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=component.sha256)] if component.sha256 else []
    references = (
        [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(component.url), hashes=hashes)]
        if component.url
        else []
    )
    return CycloneDxComponent(
        name=component.name,
        type=ComponentType(component.kind),
        bom_ref=_reference(part, component.reference),
        version=component.version,
        description=component.description,
        purl=_purl(component.purl) if component.purl else None,
        cpe=component.cpe,
        hashes=hashes,
        licenses=_licences(component),
        external_references=references,
        evidence=_evidence(part, component),
        properties=[Property(name=name, value=value) for name, value in properties.items()],
    )


def _licences(component: Component) -> list[License]:
    """Either one SPDX expression or any number of licences: a document must not mix them."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
    from cyclonedx.spdx import fixup_id, is_expression

    declared = LicenseAcknowledgement.DECLARED
    made: list[License] = []
    for text in component.licences:
        if identifier := fixup_id(text):
            made.append(DisjunctiveLicense(id=identifier, acknowledgement=declared))
        elif len(component.licences) == 1 and is_expression(text):
            made.append(LicenseExpression(text, acknowledgement=declared))
        else:
            made.append(DisjunctiveLicense(name=text, acknowledgement=declared))
    return made


def _evidence(part: BillPart, component: Component) -> ComponentEvidence | None:
    from cyclonedx.model.component_evidence import (
        AnalysisTechnique,
        ComponentEvidence,
        Identity,
        IdentityField,
        Method,
        Occurrence,
    )

    if not component.places:
        return None
    identities = []
    if component.version is not None and not component.certain:
        method = Method(
            technique=AnalysisTechnique.BINARY_ANALYSIS, confidence=_BARE, value=component.version
        )
        identities = [Identity(field=IdentityField.VERSION, confidence=_BARE, methods=[method])]
    occurrences = [Occurrence(location=f"{part.name}/{place}") for place in component.places]
    return ComponentEvidence(identity=identities, occurrences=occurrences)


def _purl(text: str) -> PackageURL:
    from packageurl import PackageURL

    return PackageURL.from_string(text)

"""A CPython in a bill of materials: itself, its libraries, its packages."""

from __future__ import annotations

from czscie.pbs.distribution import Distribution
from czscie.sbom.component import Component
from czscie.sbom.libraries import bundled_libraries
from czscie.sbom.packages import packages_beside

#: What everything else in an interpreter belongs to.
CPYTHON = "cpython"


def interpreter_components(distribution: Distribution) -> tuple[Component, ...]:
    """The components of `distribution`, CPython first. The document adds its origin."""
    layout = distribution.layout
    own = [item for item in distribution.items if not item.path.startswith(f"{layout.stdlib}/site-packages/")]
    libraries = bundled_libraries(own, lambda path: not path.startswith(f"{layout.stdlib}/"))
    packages = tuple(sorted(packages_beside(distribution.items, layout), key=lambda each: each.reference))
    cpython = Component(
        reference=CPYTHON,
        name="cpython",
        version=layout.version,
        description="The Python interpreter with its standard library",
        purl=f"pkg:generic/cpython@{layout.version}",
        cpe=f"cpe:2.3:a:python:python:{layout.version}:*:*:*:*:*:*:*",
        licences=("Python-2.0 AND CNRI-Python",),
        needs=tuple(each.reference for each in (*libraries, *packages)),
        properties={"czscie:free-threaded": "true"} if layout.implementation.free_threaded else {},
    )
    return (cpython, *libraries, *packages)

"""An interpreter in a bill of materials: itself, its libraries, its packages."""

from __future__ import annotations

from czscie.implementation import CPYTHON, PYPY, Implementation
from czscie.pbs.distribution import Distribution
from czscie.sbom.component import Component
from czscie.sbom.libraries import bundled_libraries
from czscie.sbom.packages import packages_beside

#: SPDX expressions. PyPy's own code is MIT's, its standard library CPython's.
_LICENCES = {CPYTHON: "Python-2.0 AND CNRI-Python", PYPY: "MIT AND Python-2.0"}
_PRODUCTS = {CPYTHON: "python:python", PYPY: "pypy:pypy"}
_PYTHON = "czscie:python"


def interpreter_components(distribution: Distribution) -> tuple[Component, ...]:
    """The components of `distribution`, the interpreter first. The document adds its origin."""
    layout = distribution.layout
    own = [item for item in distribution.items if not item.path.startswith(f"{layout.stdlib}/site-packages/")]
    libraries = bundled_libraries(own, lambda path: not path.startswith(f"{layout.stdlib}/"))
    packages = tuple(sorted(packages_beside(distribution.items, layout), key=lambda each: each.reference))
    needs = tuple(each.reference for each in (*libraries, *packages))
    return (_interpreter(layout.implementation, needs), *libraries, *packages)


def _interpreter(python: Implementation, needs: tuple[str, ...]) -> Component:
    version = python.own_version or python.version
    properties = {"czscie:free-threaded": "true"} if python.free_threaded else {}
    if python.own_version:
        properties[_PYTHON] = python.version
    return Component(
        reference=python.name,
        name=python.name,
        version=version,
        description="The Python interpreter with its standard library",
        purl=f"pkg:generic/{python.name}@{version}",
        cpe=f"cpe:2.3:a:{_PRODUCTS[python.name]}:{version}:*:*:*:*:*:*:*",
        licences=(_LICENCES[python.name],),
        needs=needs,
        properties=properties,
    )

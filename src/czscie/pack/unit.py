"""The files of one distribution in site-packages, and which of its modules stay files."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from czscie.pack.modules import is_in_package, module_sources
from czscie.pack.readers import Harmless, harmless_in
from czscie.pack.scan import Scan, Signs, directories_of_pth, suspect
from czscie.wheel.venv_layout import Origin, Placement
from czscie.wheel.wheel import Wheel

#: What follows `.py` in the name of a file that becomes a module, `script.py.mako`, `apps.py-tpl`.
_TEMPLATE = re.compile(r"\.py[^A-Za-z].")

#: A package's own tests. Those of large packages are more than all the rest of it.
_OF_TESTS = re.compile(r"[^/]+/(.*/)?(tests?/|conftest\.py$)")


@dataclass(frozen=True, slots=True)
class Unit:
    """The files of one wheel, or of the user, in site-packages; `modules` are paths among `files`."""

    origin: Origin
    files: dict[str, Placement]
    modules: tuple[str, ...]

    def staying(
        self, application: Collection[str], signs_of: Callable[[Unit], Mapping[str, Signs]]
    ) -> tuple[frozenset[str], str]:
        """The modules that stay files, and why; `application` are the projects that it is made of.

        The application's own are what other libraries look at: they check its types, cache beside it, run it
        by its path. Of other code, data and extension modules stay where they are and find what they look
        for: whether modules are there as files matters to those alone who look at these, as signs tell.
        """
        if not isinstance(self.origin, Wheel) or self.origin.project in application:
            return frozenset(self.modules), "they are the application's own"
        if (template := self._template()) is not None:
            return frozenset(self.modules), f"{template} is a template of modules"
        signs = signs_of(self)
        for path, found in signs.items():
            if found.looks and not _OF_TESTS.match(path):
                return frozenset(self.modules), f"{path} uses {found.looks}"
        kept = dict(chain(self._tests(signs), _cached(signs), self._on_path(), self._outside()))
        return frozenset(kept), next(iter(kept.values()), "")

    def _template(self) -> str | None:
        """A file that is not a module but becomes one, if there is one."""
        importable = frozenset(self.modules)
        return next((path for path in self.files if path not in importable and _is_template(path)), None)

    def signs(self, scan: Scan) -> dict[str, Signs]:
        """The signs that `scan` finds in those modules that have one in their text."""
        harmless = self._harmless
        suspects = []
        for path in self.modules:
            lines = harmless.lines_of(path) if harmless and not _OF_TESTS.match(path) else ()
            if (found := suspect(path, self._source(path), lines)) is not None:
                suspects.append(found)
        return dict(zip((each.path for each in suspects), scan(suspects), strict=True))

    def _tests(self, signs: Mapping[str, Signs]) -> Iterator[tuple[str, str]]:
        """Tests of which one looks at files: they look at each other's."""
        for path, found in signs.items():
            if found.looks:
                tests = filter(_OF_TESTS.match, self.modules)
                yield from dict.fromkeys(tests, f"{path} uses {found.looks}").items()
                return

    def _on_path(self) -> Iterator[tuple[str, str]]:
        """Modules in a directory that a `.pth` file adds to `sys.path`, if it exists."""
        for name in self.files:
            if name.endswith(".pth") and "/" not in name:
                for directory in directories_of_pth(self._source(name)):
                    prefix = posixpath.normpath(directory) + "/"
                    for path in self.modules:
                        if path.startswith(prefix):
                            yield path, f"{name} names {directory}"

    def _outside(self) -> Iterator[tuple[str, str]]:
        """Modules that are in no package."""
        packages = {posixpath.dirname(path) for path in self.modules if path.endswith("/__init__.py")}
        namespaces = self._harmless.namespaces if self._harmless else ()
        for path in self.modules:
            if not is_in_package(path, packages) and path.partition("/")[0] not in namespaces:
                yield path, f"{path} is in no package"

    def _source(self, path: str) -> bytes:
        return self.files[path].member.content.read()

    @property
    def _harmless(self) -> Harmless | None:
        return harmless_in(self.origin.project) if isinstance(self.origin, Wheel) else None

    def run(self, staying: Collection[str]) -> list[str]:
        """The modules but for those, `staying` files, that applications do not run: a package's tests."""
        if not isinstance(self.origin, Wheel):
            return list(self.modules)
        return [path for path in self.modules if path not in staying or not _OF_TESTS.match(path)]


def units_of(inside: Mapping[str, Placement]) -> list[Unit]:
    """The units of all origins, where `inside` are all files by their paths in site-packages."""
    importable = frozenset(module_sources(inside))
    paths: dict[Origin, list[str]] = defaultdict(list)
    for path, placement in inside.items():
        if placement.origin != "generated":
            paths[placement.origin].append(path)
    return [
        Unit(
            origin,
            {path: inside[path] for path in own},
            tuple(path for path in sorted(own) if path in importable),
        )
        for origin, own in paths.items()
    ]


def _cached(signs: Mapping[str, Signs]) -> Iterator[tuple[str, str]]:
    for path, found in signs.items():
        if found.caches:
            yield path, f"{found.caches} caches beside {path}"


def _is_template(path: str) -> bool:
    """Whether a file that is no module becomes one: those beside it may be read, too, to be written anew."""
    return _TEMPLATE.search(posixpath.basename(path)) is not None

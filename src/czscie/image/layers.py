"""The layers of an application's image, those that change least first.

    libc          the C library that the lift bundles                FROM scratch only
    root          what else a root directory lacks that has nothing  FROM scratch only
    interpreter   one for each
    dependencies  wheels, and their modules in a file of the pack
    files         what the lift embeds
    commands      the executables
    application   its own wheels and sources, what starts them, the rest of the pack, the bill of materials

The directory of the environment is called by the plan of its dependencies: touching the application changes
no other layer, and applications with the same dependencies share theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from czscie import __version__
from czscie.build_cache import key_of, product
from czscie.container.content import Data, File, Link
from czscie.container.manifest import Part
from czscie.container.part import PartFile, read_plan
from czscie.container.plan import Plan
from czscie.czex.write import OF_DEPENDENCIES
from czscie.image.installation import Place, installed
from czscie.image.layer import Layer, LayerDigests, LayerDirectory, write_layer
from czscie.libc.library import LIBRARIES, LOCALES, host_loader
from czscie.parts import Parts
from czscie.scie.stub import stub

#: Below the base directory of the launcher (native/src/manifest.zig).
_DIRECTORIES = {"interpreter": "interpreters", "app": "apps", "files": "files"}

_MARK = "czscie-installation"
_MARK_TEXT = b"A permanent installation of czscie's executables, which are in bin and unpack nothing.\n"

_WHEELS = ".deps/"

#: What programs look up about users, and a place for their temporary files.
_ROOT = (
    LayerDirectory("tmp", 0o1777),
    File("etc/passwd", Data(b"root:x:0:0:root:/:/\nnonroot:x:65532:65532:nonroot:/:/\n")),
    File("etc/group", Data(b"root:x:0:\nnonroot:x:65532:\n")),
)

Items = Iterator[File | LayerDirectory | Link]


@dataclass(frozen=True, slots=True)
class LayerContents:
    """The layers of one platform's image, and the names of the executables in `<directory>/bin`.

    `command` is that of the one that the image starts.
    """

    layers: tuple[Layer, ...]
    command: str
    executables: tuple[str, ...]


def make_contents(parts: Parts, directory: str, *, from_scratch: bool) -> LayerContents:
    """Lays `parts`, whose payload is divided, out in `directory`, an absolute path. Raises CzscieError."""
    payload = None if parts.payload is None else _Payload.of(parts.payload, parts.own)
    maker = _Maker(parts, directory, payload)
    executables = maker.executables()
    layers = tuple(maker.layers(executables, from_scratch))
    return LayerContents(layers, next(iter(executables)), tuple(executables))


@dataclass(frozen=True, slots=True)
class _Payload:
    """The payload's plan in two. What belongs to no entry belongs to the application."""

    part: PartFile
    dependencies: Plan
    application: Plan
    #: What the directory of the environment is called.
    name: str

    @classmethod
    def of(cls, part: PartFile, own: Container[str]) -> _Payload:
        """`own` are the file names of the application's own wheels."""
        plan = read_plan(part.path)
        entries = [entry for entry in plan.entries if _is_dependency(entry.name, own)]
        names = {entry.name for entry in entries}
        dependencies = Plan(tuple(entries), tuple(file for file in plan.files if file.content.entry in names))
        application = Plan(
            tuple(entry for entry in plan.entries if entry.name not in names),
            tuple(file for file in plan.files if file.content.entry not in names),
            plan.links,
            plan.directories,
        )
        return cls(part, dependencies, application, dependencies.digest())


def _system_path(path: str, loader: str) -> str:
    """Where the root directory has what a bundled C library has at `path` (czscie.libc.library)."""
    if path == f"{LIBRARIES}/{loader.rpartition('/')[2]}":
        return loader.lstrip("/")
    if path.startswith((f"{LOCALES}/", "share/")):
        return f"usr/{path}"
    return path


def _is_dependency(entry: str, own: Container[str]) -> bool:
    if entry.startswith(_WHEELS):
        return entry.removeprefix(_WHEELS).partition("/")[0] not in own
    return entry.startswith(OF_DEPENDENCIES)


@dataclass(frozen=True, slots=True)
class _Maker:
    parts: Parts
    directory: str
    payload: _Payload | None

    def layers(self, executables: Mapping[str, bytes], from_scratch: bool) -> Iterator[Layer]:
        parts, payload = self.parts, self.payload
        if from_scratch:
            if parts.libc is not None:
                yield self._libc(parts.libc.part)
            yield self._layer("root", "", lambda: iter(_ROOT))
        for part in parts.interpreters.values():
            yield self._installation("interpreter", part, read_plan(part.path), part.digest)
        if payload is not None and payload.dependencies.files:
            yield self._installation("dependencies", payload.part, payload.dependencies, payload.name)
        if parts.files is not None:
            yield self._installation("files", parts.files, read_plan(parts.files.path), parts.files.digest)
        digest = hashlib.sha256(b"".join(executables.values())).hexdigest()
        yield self._layer("commands", digest, lambda: self._commands(executables))
        yield self._application()

    def executables(self) -> dict[str, bytes]:
        """The executables by their names, first the one that the image starts."""
        name, commands = self.parts.lift.name, self.parts.commands.commands
        chosen: dict[str, str | None] = {}
        if "" in commands:
            chosen[name] = ""
        elif len(commands) > 1:
            chosen[name] = None
        for command in sorted(commands):
            if command not in ("", ".", "..") and not {"/", "\\", ":"} & set(command):
                chosen.setdefault(command, command)
        # What is here starts with the C library that every program finds.
        installed_parts = [part for part in self.parts.in_order if part.kind != "libc"]
        files = tuple(self._described(part) for part in installed_parts)
        lift = msgspec.structs.replace(self.parts.manifest, libc=None, files=files)
        launcher = self.parts.launcher.read_bytes()
        return {
            executable: stub(launcher, __version__, lift, self.directory, command)
            for executable, command in chosen.items()
        }

    def _application(self) -> Layer:
        """With the bill of materials, called as scanners of images look for it."""
        payload = self.payload
        name = f"{self.directory}/{self.parts.lift.name}.cdx.json".lstrip("/")
        key = f"{name} {hashlib.sha256(self.parts.sbom).hexdigest()}"

        def items() -> Items:
            yield File(name, Data(self.parts.sbom))
            if payload is not None:
                payload.part.check()
                yield from installed(payload.part.path, payload.application, self._place("app", payload.name))

        if payload is not None:
            key += f" {payload.application.digest()} {payload.name}"
        return self._layer("application", key, items)

    def _commands(self, executables: Mapping[str, bytes]) -> Items:
        base = self.directory.lstrip("/")
        yield File(f"{base}/{_MARK}", Data(_MARK_TEXT))
        for name, content in sorted(executables.items()):
            yield File(f"{base}/bin/{name}", Data(content), executable=True)

    def _described(self, part: PartFile) -> Part:
        """The description of an installation in the manifests of executables, without what the application
        changes.
        """
        payload = self.payload
        of_payload = payload is not None and part is payload.part
        return Part(
            name=part.name,
            kind=part.kind,
            digest=payload.name if payload is not None and of_payload else part.digest,
            offset=0,
            size=0,
            unpacked=0 if of_payload else part.unpacked,
            description="" if of_payload else part.description,
        )

    def _libc(self, part: PartFile) -> Layer:
        """The C library where programs look for one, as in any root directory."""
        plan = read_plan(part.path)
        loader = host_loader(self.parts.platform)

        def items() -> Items:
            part.check()
            for item in installed(part.path, plan, Place("/", "/")):
                if isinstance(item, File):
                    yield replace(item, path=_system_path(item.path, loader))

        return self._layer("libc", plan.digest(), items, part.description)

    def _installation(self, what: str, part: PartFile, plan: Plan, name: str) -> Layer:
        """The layer of the installation of `plan`, which is called `name`."""
        place = self._place(part.kind, name)
        key = f"{plan.digest()} {place.root}"
        description = part.description if part.kind == "interpreter" else ""

        def items() -> Items:
            part.check()
            yield from installed(part.path, plan, place)

        return self._layer(what, key, items, description)

    def _place(self, kind: str, name: str) -> Place:
        return Place(self.directory, f"{self.directory}/{_DIRECTORIES[kind]}/{name}")

    def _layer(self, what: str, key: str, items: Callable[[], Items], description: str = "") -> Layer:
        """The layer of `items`, from the cache if they are those of `key`."""
        made = product(
            key_of("layer", self.directory, what, key),
            ".tar.gz",
            LayerDigests,
            lambda path: write_layer(items(), path),
        )
        return Layer.written(made.path, made.known, f"{what}: {description}" if description else what)

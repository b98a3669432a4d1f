"""Scies made by hand: parts of a few files, and anything at all for a launcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from czscie.cache import cache_directory
from czscie.container.content import Content, Data, File
from czscie.container.manifest import Boot, Command, LiftManifest, Manifest, Needs, OwnLibc
from czscie.container.packer import Packer
from czscie.container.part import PartFile
from czscie.container.plan import Kind, Plan, PlannedFile, PlannedLink
from czscie.filesystem import write_atomically
from czscie.launchers.build import compile_launcher, find_launcher
from czscie.platforms import Platform, current_launcher, current_platform
from czscie.scie.assemble import assemble


def launcher_of(platform: str) -> Path:
    """The launcher, compiled if no earlier run left it."""
    cache = cache_directory("launchers")
    return find_launcher(platform, cache) or compile_launcher(platform, cache, cache)


def host_launcher() -> Path:
    """The launcher of this machine, compiled if no earlier run left it."""
    return launcher_of(current_launcher())


@dataclass(frozen=True)
class Tree:
    """What a part installs. `scripts` map paths to what their first line starts; they are executable."""

    files: Mapping[str, bytes | Content] = field(default_factory=dict)
    programs: Mapping[str, bytes | Content] = field(default_factory=dict)
    templates: Mapping[str, bytes] = field(default_factory=dict)
    scripts: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: Sequence[str] = ()

    def write(self, path: Path) -> Plan:
        """Writes the zip of the tree to `path`."""
        members = [_file(name, content) for name, content in (*self.files.items(), *self.templates.items())]
        members += [_file(name, content, executable=True) for name, content in self.programs.items()]
        members += [_file(name, content, executable=True) for name, (_, content) in self.scripts.items()]
        packer = Packer(level=3)
        slices = packer.add("", members)
        planned = tuple(
            PlannedFile(
                member.path,
                slices[member.path],
                self._kind(member.path),
                member.executable,
                self.scripts[member.path][0] if member.path in self.scripts else "",
            )
            for member in members
        )
        links = tuple(PlannedLink(name, target) for name, target in self.links.items())
        return write_atomically(
            path,
            lambda stream: packer.write(
                stream, lambda entries: Plan(entries, planned, links, tuple(self.directories))
            ),
        )

    def _kind(self, path: str) -> Kind:
        if path in self.scripts:
            return "script"
        return "fill" if path in self.templates else "file"


def _file(path: str, content: bytes | Content, executable: bool = False) -> File:
    return File(path, Data(content) if isinstance(content, bytes) else content, executable)


def part(directory: Path, name: str, tree: Tree, kind: str = "interpreter") -> PartFile:
    """A part called `name`, its zip in `directory`."""
    path = directory / f"part-{name}.zip"
    plan = tree.write(path)
    return PartFile(path, name, kind, plan.digest(), plan.unpacked(), f"the part {name}")


def manifest(name: str, boot: Boot, **fields: Any) -> LiftManifest:
    """The manifest of a scie for this platform, in which the files are missing yet."""
    return LiftManifest(name=name, platform=current_platform().name, files=(), boot=boot, **fields)


def scie(
    path: Path,
    launcher: Path,
    parts: Sequence[PartFile],
    commands: Mapping[str, Command],
    *,
    name: str = "moo",
    platform: Platform | None = None,
    description: str | None = None,
    base: str | None = None,
    sbom: bytes | None = None,
    needs: Needs | None = None,
    libc: OwnLibc | None = None,
    bindings: Mapping[str, Command] | None = None,
    quiet: bool = False,
) -> Manifest:
    """Writes a scie of these parts to `path`."""
    lift = LiftManifest(
        name=name,
        platform=(platform or current_platform()).name,
        files=(),
        boot=Boot(dict(commands), dict(bindings or {}), quiet=quiet),
        needs=needs or Needs(),
        description=description,
        base=base,
        libc=libc,
    )
    return assemble(path, launcher, "0.0", list(parts), lift, sbom)

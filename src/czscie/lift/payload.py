"""The payload of the scie: a PEX, or what to make one from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes
from czscie.lift.problem import one_of
from czscie.lift.table import SOMETHING, Shape, Table
from czscie.network.url import scheme
from czscie.platforms import GlibcVersion

SOURCES = ("pex", "requirements", "project", "script", "lock")

#: In `scripts`: every console and GUI script of the payload.
EVERY = "*"

_ENTRY_POINT = Shape.of(
    'a console script, a module or "module:function"',
    # The names that the entry points specification recommends, or what follows a colon in one.
    r"\w[\w.-]*|[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*",
)
#: A script becomes a command, and in a permanent installation a file.
_SCRIPT = Shape.of("the name of a script", r"(?!\.{1,2}$)[\w.-]+")
_SCRIPTS = Shape.of('"*", or an array of names of scripts', r"\*", EVERY)
_GLIBC = Shape.of('a string such as "2.28"', r"2\.[0-9]{1,3}")


ALLOW, NEVER = "allow", "never"
_BUILD = Shape.of('"allow", "never", or an array of names of projects', f"{ALLOW}|{NEVER}", ALLOW, NEVER)
_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
_PROJECT = Shape.of("the name of a project", _NAME)
_EXTRA = Shape.of("the name of an extra", _NAME)
_GROUP = Shape.of("the name of a dependency group", _NAME)


def _is_requirement(text: str) -> bool:
    """Whether `text` is a requirement of PEP 508."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def _has_digest(requirement: str) -> bool:
    """Whether a requirement means a file or directory, and not a version control URL."""
    from packaging.requirements import Requirement

    url = Requirement(requirement).url
    return url is None or scheme(url) in ("https", "http", "file")


_REQUIREMENT = Shape('a requirement such as "cowsay==6.1"', _is_requirement)


@dataclass(frozen=True, slots=True)
class Payload:
    """`lift.payload`. Exactly one of `pex`, `requirements`, `project`, `script` and `lock` is not None.

    `script` is a single file that may name its requirements (PEP 723). Without `entry_point` the PEX's own is
    meant. `build` are the projects whose build backends may run when they have no wheel, None is for any.
    `glibc` is the newest version that resolved wheels may ask for, None for any. `interpreter` is the
    id of one of the manifest's interpreters. `sources` are files and directories that are importable beside
    what `requirements` or `lock` name, or alone. `extras` and `groups` are those of the `project` that are
    installed, too (dependency groups of PEP 735). `indexes` are where packages come from.

    `scripts` are the payload's scripts that become commands, EVERY is all of them, and None makes the entry
    point the only command. `default` is the script that starts when none is chosen.
    """

    pex: Path | None
    requirements: tuple[str, ...] | None
    project: Path | None
    script: Path | None
    lock: Path | None
    entry_point: str | None
    glibc: GlibcVersion | None
    interpreter: str
    build: tuple[str, ...] | None = None
    sources: tuple[Path, ...] = ()
    scripts: tuple[str, ...] | str | None = None
    default: str | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    indexes: PackageIndexes = NO_INDEXES

    @property
    def is_default_command(self) -> bool:
        """Whether an executable of it starts something when no command is chosen."""
        return self.scripts is None or self.default is not None

    @classmethod
    def read(cls, table: Table, directory: Path, interpreters: Sequence[str]) -> Payload:
        """`interpreters` are the ids of the manifest's interpreters."""
        payload = cls(
            pex=table.optional_path("pex", directory),
            requirements=_read_requirements(table),
            project=table.optional_path("project", directory),
            script=table.optional_path("script", directory),
            lock=table.optional_path("lock", directory),
            entry_point=table.optional_text("entry_point", _ENTRY_POINT),
            glibc=_read_glibc(table),
            interpreter=_read_interpreter(table, interpreters),
            build=_read_build(table),
            sources=_read_sources(table, directory),
            scripts=table.optional_text_or_texts("scripts", _SCRIPTS, _SCRIPT),
            default=table.optional_text("default", _SCRIPT),
            extras=table.texts("extras", _EXTRA),
            groups=table.texts("groups", _GROUP),
            indexes=PackageIndexes.read(table, directory),
        )
        table.require_one(SOURCES, otherwise="sources")
        _check_sources(payload, table)
        for key in ("extras", "groups"):
            if key in table and payload.project is None:
                table.reject(key, allowed="project beside it")
        if payload.pex is not None:
            for key in ("find_links", "index", "extra_index", "no_index"):
                if key in table:
                    table.reject(key, allowed="no pex beside it: nothing is resolved")
        _check_scripts(payload, table)
        if payload.project is not None and payload.build == ():
            table.reject(
                "build",
                allowed="the name of the project in an array, or another payload: a project is built by its "
                "build backend",
            )
        table.finish()
        return payload


def _read_requirements(table: Table) -> tuple[str, ...] | None:
    requirements = table.texts("requirements", _REQUIREMENT, may_be_empty=False)
    for index, requirement in enumerate(requirements):
        if _REQUIREMENT.accepts(requirement) and not _has_digest(requirement):
            table.reject(
                *("requirements", index),
                allowed="what a lock can pin: a project of an index, or the URL of a file "
                "(https://, http:// or file://)",
            )
    alone = "sources" in table and not any(source in table for source in SOURCES)
    return requirements if "requirements" in table or alone else None


def _read_sources(table: Table, directory: Path) -> tuple[Path, ...]:
    return tuple(directory / text for text in table.texts("sources", SOMETHING, may_be_empty=False))


def _check_sources(payload: Payload, table: Table) -> None:
    """Each source is importable by its own name, beside packages and not inside of them."""
    for other in ("pex", "project", "script"):
        if payload.sources and other in table:
            table.reject("sources", allowed=f"requirements, lock or nothing beside it, and not {other}")
    names = [source.name for source in payload.sources]
    for index, name in enumerate(names):
        if not name or name in names[:index]:
            table.reject("sources", index, allowed="a file or directory with a name of its own")


def _check_scripts(payload: Payload, table: Table) -> None:
    scripts = payload.scripts
    if scripts is None:
        if payload.default is not None:
            table.reject("default", allowed="no default, because there are no scripts to choose from")
        return
    if payload.entry_point is not None:
        table.reject("entry_point", allowed="no entry point, because scripts says what starts")
    if not isinstance(scripts, str):
        for index, script in enumerate(scripts):
            if script in scripts[:index]:
                table.reject("scripts", index, allowed="each script once")
        if scripts and payload.default is not None and payload.default not in scripts:
            table.reject("default", allowed=one_of(scripts), options=scripts)


def may_build(allowed: tuple[str, ...] | None, project: str) -> bool:
    """Whether `Payload.build` allows the build backend of `project`."""
    from packaging.utils import canonicalize_name

    return allowed is None or canonicalize_name(project) in allowed


def _read_build(table: Table) -> tuple[str, ...] | None:
    """`"allow"` is None, `"never"` is no project."""
    value = table.optional_text_or_texts("build", _BUILD, _PROJECT)
    if value is None or value == ALLOW:
        return None
    if isinstance(value, str):
        return ()
    from packaging.utils import canonicalize_name

    return tuple(sorted(map(canonicalize_name, value)))


def _read_glibc(table: Table) -> GlibcVersion | None:
    """`2.28` as (2, 28)."""
    value = table.optional_text("glibc", _GLIBC)
    if value is None or not _GLIBC.accepts(value):
        return None
    major, minor = value.split(".")
    return int(major), int(minor)


def _read_interpreter(table: Table, interpreters: Sequence[str]) -> str:
    """The interpreter that runs the payload: the one that is named, or the only one."""
    if not interpreters:  # which is a problem of its own, at lift.interpreters
        return table.optional_text("interpreter") or ""
    if len(interpreters) == 1:
        return table.optional_choice("interpreter", interpreters) or interpreters[0]
    return table.choice("interpreter", interpreters)

"""The pex tool, which resolves requirements for platforms that are not this one, and builds wheels."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from czscie.czex.target import Target
from czscie.disk import says_full
from czscie.errors import CzscieError
from czscie.platforms import GlibcVersion, Platform

#: Every Linux distribution that is still supported has at least this one; so do most manylinux wheels ask.
_GLIBC: GlibcVersion = (2, 28)
_GLIBC_BY_ARCHITECTURE: Mapping[str, GlibcVersion] = {"riscv64": (2, 39)}

#: 1980-01-01, the earliest time a zip can hold: for backends that write the time into what they build.
_SOURCE_DATE_EPOCH = "315532800"

#: pex's report of the pip that it ran, which names temporary directories and says nothing to a user.
_NOISE = re.compile(r"^pid \d+ -> .* exited with \d+ and STDERR:$|^\s*$")
_REASON_LINES = 20

_SETTINGS = (
    # The index and the credentials are where the user's pip has them.
    "--use-pip-config",
    *("--resolver-version", "pip-2020-resolver"),
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """What pex chose for one project: a wheel, a source distribution or a directory, by its URL.

    `sha256` is of the file; of a directory it says nothing to others.
    """

    project: str
    version: str
    url: str
    sha256: str


class _Artifact(msgspec.Struct, frozen=True):
    url: str
    algorithm: str
    hash: str


class _Requirement(msgspec.Struct, frozen=True):
    project_name: str
    version: str
    artifacts: tuple[_Artifact, ...]


class _Resolve(msgspec.Struct, frozen=True):
    platform_tag: tuple[str, str, str]
    locked_requirements: tuple[_Requirement, ...]


class _PexLock(msgspec.Struct, frozen=True):
    """What `pex3 lock create --style strict` writes (pex 2.105, `pex/resolve/lockfile/json_codec.py`)."""

    locked_resolves: tuple[_Resolve, ...]


def default_glibc(platform: Platform) -> GlibcVersion:
    """The newest glibc that wheels resolved for `platform` may ask for when the manifest names none."""
    return _GLIBC_BY_ARCHITECTURE.get(platform.arch, _GLIBC)


def resolve(
    requirements: Sequence[str], targets: Sequence[Target], versions: Mapping[str, str], directory: Path
) -> dict[Platform, tuple[Artifact, ...]]:
    """What `requirements` and theirs come to on each of `targets`, never on the host.

    `versions` of projects are those to take where requirements have a choice. `directory` is for files of
    this call. Raises CzscieError with pex's reasons when a target cannot have them.
    """
    if not requirements:
        return {target.platform: () for target in targets}
    constraints = directory / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in sorted(versions.items())))
    output = directory / "lock.json"
    done = _run(
        "pex.cli",
        *("lock", "create", "--style", "strict", "--avoid-downloads", "--output", str(output)),
        *(("--constraints", str(constraints)) if versions else ()),
        *_complete_platforms(targets, directory),
        *requirements,
        directory=directory,
    )
    if done.returncode == 0:
        return _read(output, targets)
    if versions:  # which the requirements need not allow any more
        return resolve(requirements, targets, {}, directory)
    if len(targets) > 1:  # to say which cannot have them
        return {
            platform: artifacts
            for target in targets
            for platform, artifacts in resolve(requirements, [target], {}, directory).items()
        }
    raise _failure(f"pex cannot resolve the payload for {targets[0]}", targets[0], done)


def build_wheel(source: Path, target: Target, directory: Path) -> Path:
    """The wheel that pex builds of a project's directory or source distribution; a file in `directory`.

    The host's Python builds it, which serves when the wheel is a pure one. Raises CzscieError with pex's
    reasons when it is none that `target` can use.
    """
    pex = directory / "built.pex"
    done = _run(
        "pex",
        *("--intransitive", str(source)),
        *_complete_platforms([target], directory),
        *("--layout", "packed", "--no-pre-install-wheels", "--no-compress"),
        *("--output-file", str(pex)),
        directory=directory,
    )
    if done.returncode != 0:
        raise _failure(f"pex cannot build a wheel of {source.name} for {target}", target, done)
    [wheel] = (pex / ".deps").glob("*.whl")
    return wheel


def _run(module: str, *arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments, *_SETTINGS],
        cwd=directory,
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )


def _complete_platforms(targets: Sequence[Target], directory: Path) -> list[str]:
    """A file for each target with its markers and tags, as arguments."""
    arguments = []
    for target in targets:
        path = directory / f"{target.platform.name}.json"
        platform = {
            "marker_environment": target.marker_environment,
            "compatible_tags": [str(tag) for tag in target.tags],
        }
        path.write_text(json.dumps(platform), encoding="utf-8")
        arguments += ["--complete-platform", str(path)]
    return arguments


def _read(path: Path, targets: Sequence[Target]) -> dict[Platform, tuple[Artifact, ...]]:
    """pex calls each target by the best of its tags, which no two platforms have in common."""
    by_tag = {str(target.tags[0]): target.platform for target in targets}
    lock = msgspec.json.decode(path.read_bytes(), type=_PexLock)
    return {
        by_tag["-".join(each.platform_tag)]: tuple(map(_artifact, each.locked_requirements))
        for each in lock.locked_resolves
    }


def _artifact(requirement: _Requirement) -> Artifact:
    artifact = requirement.artifacts[0]
    if artifact.algorithm != "sha256":
        raise CzscieError(
            f"{requirement.project_name} {requirement.version} cannot be locked",
            why=f"its index vouches for it with {artifact.algorithm} only",
        )
    return Artifact(requirement.project_name, requirement.version, artifact.url, artifact.hash)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for pex: nothing of the user's settings for it but where its cache is."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith("PEX_") or name == "PEX_ROOT"
    }
    return {"SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH, **kept, "PEX_IGNORE_RCFILES": "true"}


def _failure(what: str, target: Target, done: subprocess.CompletedProcess[str]) -> CzscieError:
    output = done.stderr or done.stdout
    lines = [line for line in output.splitlines() if not _NOISE.match(line)]
    mend = None
    if says_full(output):
        mend = "a file system is full: free some, or set TMPDIR and PEX_ROOT to directories on another one"
    elif "not compatible with the requested foreign target" in output:
        mend = f"build that wheel on {target.platform.name} and name its directory in PIP_FIND_LINKS"
    elif "No matching distribution found" in output and target.platform.libc == "gnu":
        newest = ".".join(map(str, target.glibc))
        mend = f"if its wheels ask for a newer glibc than {newest}, set glibc in [lift.payload]"
    return CzscieError(what, why=lines[-_REASON_LINES:], mend=mend)

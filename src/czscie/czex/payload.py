"""PEXes that czscie has pex make: of requirements, a project, a script (PEP 723), or a lock (PEP 751)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.czex.inline_metadata import InlineMetadata
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.platforms import GlibcVersion, Platform

if TYPE_CHECKING:
    from czscie.lift.payload import Payload
    from czscie.pbs.distribution import Layout

#: Every Linux distribution that is still supported has at least this one; so do most manylinux wheels ask.
_GLIBC: GlibcVersion = (2, 28)
_GLIBC_BY_ARCHITECTURE: Mapping[str, GlibcVersion] = {"riscv64": (2, 39)}

#: 1980-01-01, the earliest time a zip can hold: for backends that write the time into what they build.
_SOURCE_DATE_EPOCH = "315532800"

#: pex's report of the pip that it ran, which names temporary directories and says nothing to a user.
_NOISE = re.compile(r"^pid \d+ -> .* exited with \d+ and STDERR:$|^\s*$")
_REASON_LINES = 20


def default_glibc(platform: Platform) -> GlibcVersion:
    """The newest glibc that wheels resolved for `platform` may ask for when the manifest names none."""
    return _GLIBC_BY_ARCHITECTURE.get(platform.arch, _GLIBC)


def make_pex(
    payload: Payload, platform: Platform, layout: Layout, glibc: GlibcVersion | None, directory: Path
) -> Path:
    """Have pex make the PEX of `payload` for one target, below the existing `directory`; its path.

    The wheels are those of `platform` and the interpreter that `layout` describes, never the host's. What
    has only a source distribution is built by the host's Python, which serves when the wheel is a pure one.
    The PEX has no entry point but that of a script: `with_entry_point` sets it, for PEXes from anywhere.
    `glibc` is the newest that wheels may ask for, None for `default_glibc`. Raises CzscieError, with pex's
    reasons when it is pex that fails.
    """
    target = Target(platform, layout, glibc or default_glibc(platform))
    complete_platform = directory / "platform.json"
    complete_platform.write_text(_complete_platform(target), encoding="utf-8")
    pex = directory / "payload.pex"
    command = [
        *(sys.executable, "-m", "pex"),
        *_subject(payload, layout),
        *("--complete-platform", str(complete_platform)),
        # The index and the credentials are where the user's pip has them.
        "--use-pip-config",
        *("--resolver-version", "pip-2020-resolver"),
        # We read it once: installing and compressing would be for nothing.
        *("--layout", "packed", "--no-pre-install-wheels", "--no-compress"),
        *("--output-file", str(pex)),
    ]
    done = subprocess.run(
        command,
        cwd=directory,
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise _failure(target, done.stderr or done.stdout)
    return pex


def _subject(payload: Payload, layout: Layout) -> list[str]:
    """The arguments that tell pex what to put into the PEX."""
    if payload.requirements is not None:
        return list(payload.requirements)
    if payload.project is not None:
        return ["--project", str(payload.project.absolute())]
    if payload.script is not None:
        # Left to itself pex wants a Python on this host that the script runs with.
        requirements = _requirements(payload.script, layout)
        return ["--exe", str(payload.script.absolute()), "--no-pep723", *requirements]
    if payload.lock is not None:
        return ["--pylock", str(payload.lock.absolute())]
    raise AssertionError("a payload that is a PEX already")


def _requirements(script: Path, layout: Layout) -> tuple[str, ...]:
    """What the script requires. Raises CzscieError when it does not run with the interpreter."""
    metadata = InlineMetadata.read(script)
    if not metadata.requires_python.contains(layout.version, prereleases=True):
        raise CzscieError(
            f"{script.name} does not run with CPython {layout.version}",
            why=f'its requires-python is "{metadata.requires_python}"',
            mend="choose another version in [[lift.interpreters]]",
        )
    return metadata.requirements


def _complete_platform(target: Target) -> str:
    """What `pex --complete-platform` reads: the target's markers and tags."""
    return json.dumps(
        {
            "marker_environment": target.marker_environment,
            "compatible_tags": [str(tag) for tag in target.tags],
        }
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for pex: nothing of the user's settings for it but where its cache is."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith("PEX_") or name == "PEX_ROOT"
    }
    return {"SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH, **kept, "PEX_IGNORE_RCFILES": "true"}


def _failure(target: Target, output: str) -> CzscieError:
    lines = [line for line in output.splitlines() if not _NOISE.match(line)]
    mend = None
    if "not compatible with the requested foreign target" in output:
        mend = f"build that wheel on {target.platform.name} and name its directory in PIP_FIND_LINKS"
    elif "No matching distribution found" in output and target.platform.libc == "gnu":
        newest = ".".join(map(str, target.glibc))
        mend = f"if its wheels ask for a newer glibc than {newest}, set glibc in [lift.payload]"
    return CzscieError(f"pex cannot make the payload for {target}", why=lines[-_REASON_LINES:], mend=mend)

"""Builds scies of lift manifests that were written for science, as science names and reports them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from czscie.build import build_lift, provide_executable
from czscie.errors import Code, CzscieError
from czscie.filesystem import clearing_up, pieces, write_atomically
from czscie.leftovers import scratch
from czscie.lift.lift import Lift
from czscie.lift.manifest import parse_manifest, read_manifest
from czscie.lift.table import FILE_NAME
from czscie.loader import check_lift
from czscie.lock.use import LockUse
from czscie.platforms import Platform, current_platform
from czscie.science.pex_lift import with_desktop_entry, with_payload
from czscie.session import Session

#: The manifest that is read from standard input.
STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class LiftOptions:
    """What `science lift` takes before its subcommands.

    `platforms` replace those of the manifest, `name` its name. `inverted` are ids of interpreters and files
    that the caller wants lazy when the manifest does not say so, or the other way round.
    """

    name: str | None = None
    platforms: tuple[Platform, ...] = ()
    inverted: tuple[str, ...] = ()


def load(manifest: Path, options: LiftOptions, session: Session) -> Lift:
    """As `read`; a lift that pex generated has its PEX as the payload. Raises CzscieError."""
    lift = read(manifest, options, session)
    return with_payload(lift) or lift


def read(manifest: Path, options: LiftOptions, session: Session) -> Lift:
    """The lift `manifest`, or that of standard input, as `options` and the files of `session` change it.

    Raises CzscieError.
    """
    if manifest == STANDARD_INPUT:
        lift = parse_manifest(sys.stdin.buffer.read(), Path("lift.toml"))
    else:
        lift = read_manifest(manifest)
    lift = lift.with_files(session.files)
    if options.platforms:
        lift = replace(lift, platforms=options.platforms)
    if options.name is not None:
        if not FILE_NAME.accepts(options.name):
            raise CzscieError(
                f"--app-name cannot be {options.name!r}",
                code=Code.OPTION_INVALID,
                why=f"it takes {FILE_NAME.words}",
            )
        lift = replace(lift, name=options.name)
    return lift.with_inverted(options.inverted)


def has_suffix(lift: Lift, asked: bool | None) -> bool:
    """Whether names have the platform: as `asked`, by default if the manifest is not just for this machine.

    Raises CzscieError where several platforms would have one name.
    """
    named = lift.platforms != (current_platform(),) if asked is None else asked
    if not named and len(lift.platforms) > 1:
        raise CzscieError(
            f"{lift.name} is for several platforms, whose files would have one name",
            code=Code.OPTION_INVALID,
            why=", ".join(platform.name for platform in lift.platforms),
            hint="build one platform (--platform), or use --use-platform-suffix",
        )
    return named


def build_scies(
    lift: Lift, directory: Path, suffix: bool | None, algorithms: Sequence[str], session: Session
) -> list[Path]:
    """Writes the scies of `lift` into `directory`, and a checksum file for each of hashlib's `algorithms`.

    Returns the paths: of each scie, and then of its checksum files. `suffix` is as in `has_suffix`. No lock
    is left beside the manifest. Raises CzscieError.
    """
    named = has_suffix(lift, suffix)

    def path_of(platform: Platform) -> Path:
        stem = f"{lift.name}-{platform.name}" if named else lift.name
        return directory / f"{stem}{platform.executable_suffix}"

    with clearing_up(directory), _apart(lift) as (here, targets):
        directory.mkdir(parents=True, exist_ok=True)
        built = build_lift(here, targets, session, LockUse.ONCE, path_of)
    written = []
    for contents in built:
        written.append(contents.path)
        written += [_write_checksum(contents.path, algorithm) for algorithm in dict.fromkeys(algorithms)]
    return written


def provide_scie(lift: Lift, session: Session) -> Path:
    """The scie of `lift` for this machine in the cache, built unless it is there. Raises CzscieError."""
    with _apart(lift) as (here, _):
        return provide_executable(here, session, LockUse.ONCE)


@contextmanager
def _apart(lift: Lift) -> Iterator[tuple[Lift, list[Platform]]]:
    """`lift` as it is built, with a lock in a directory of its own, and its platforms. Raises CzscieError."""
    lift, targets = check_lift(lift)
    with scratch() as work:
        # The lock is written beside the manifest.
        yield with_desktop_entry(replace(lift, path=work / lift.path.name), work), targets


def _write_checksum(path: Path, algorithm: str) -> Path:
    """Writes it as the shasum tools read it, and returns its path; the asterisk marks a binary file."""
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        for piece in pieces(file):
            digest.update(piece)
    line = f"{digest.hexdigest()} *{path.name}".encode()
    beside = path.with_name(f"{path.name}.{algorithm}")
    write_atomically(beside, lambda stream: stream.write(line), mode=0o666)
    return beside

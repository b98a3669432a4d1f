"""The steps of `czscie init`: read the program, choose a CPython, write a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.init.choice import PythonChoice, PythonRequest, choose, versions_of
from czscie.init.manifest import render_manifest
from czscie.init.program import Program
from czscie.init.source import ProgramSource
from czscie.lift.lift import Lift
from czscie.lift.manifest import parse_manifest
from czscie.platforms import PLATFORMS, Platform
from czscie.session import Session


def write_first_manifest(
    program: Program,
    output: Path,
    session: Session,
    *,
    force: bool = False,
) -> Lift:
    """Writes the manifest `output` for `program`. One that is there stays unless `force`. Returns its lift.

    Raises CzscieError.
    """
    subject = program.read()
    choice = choose_python(subject, program.python, session)
    text = render_manifest(subject, choice, output.parent)
    lift = parse_manifest(text, output)
    if not subject.starts:
        session.console.warn(
            f"{program.arguments} declares no entry point, so {lift.name} will start an interactive Python "
            f"(set entry_point in {output})"
        )
    _write(output, text.encode(), force)
    return lift


def choose_python(subject: ProgramSource, request: PythonRequest, session: Session) -> PythonChoice:
    """The CPython of `request` that `subject` runs with. Raises CzscieError when there is none."""
    with session.console.phase("Choosing a CPython", "Chose a CPython") as phase:
        choice = _choose(subject, request, session)
        names = ", ".join(platform.name for platform in choice.platforms)
        phase.become(f"Chose CPython {choice.version} of release {choice.release} for {names}")
    return choice


def _choose(subject: ProgramSource, request: PythonRequest, session: Session) -> PythonChoice:
    python, release, platforms = request.version, request.release, request.platforms
    if python is not None and release is not None and python.count(".") == 2:
        return choose(subject, {python: frozenset(PLATFORMS)}, release, platforms)
    versions, release = ask_release(release, session)
    if python is not None:
        versions = _beginning(python, versions, release)
    return choose(subject, versions, release, platforms)


def _beginning(
    python: str, versions: Mapping[str, frozenset[Platform]], release: str
) -> Mapping[str, frozenset[Platform]]:
    found = {version: here for version, here in versions.items() if f"{version}.".startswith(f"{python}.")}
    if not found:
        raise CzscieError(
            f"release {release} of python-build-standalone has no CPython {python}",
            code=Code.INTERPRETER_NOT_RELEASED,
            why=f"it has: {', '.join(versions) or 'none'}",
            hint=f"choose {'one of these, or ' if versions else ''}another release: --python X.Y.Z+YYYYMMDD",
        )
    return found


def ask_release(release: str | None, session: Session) -> tuple[Mapping[str, frozenset[Platform]], str]:
    """The CPythons of `release`, or of the newest release, and its date. Raises CzscieError."""
    from czscie.pbs.standalone import StandaloneOrigin

    try:
        found = StandaloneOrigin(session.network, session.console).release(release)
    except CzscieError as error:
        raise CzscieError(
            "cannot list the CPythons of python-build-standalone",
            code=error.code,
            why=(error.what, *error.why),
            hint="name one: --python X.Y.Z+YYYYMMDD",
        ) from error
    return versions_of(found), found.tag


def _write(output: Path, text: bytes, force: bool) -> None:
    try:
        if output.exists() and not force:
            if output.read_bytes() == text:
                return
            raise CzscieError(
                f"the manifest {output} already exists",
                code=Code.OUTPUT_EXISTS,
                why="its content differs from what czscie init would write",
                hint="run czscie init --force to overwrite it, or name another with -o",
            )
        write_atomically(output, lambda stream: stream.write(text), mode=0o666)
    except OSError as error:
        raise CzscieError(
            f"cannot write {output}", code=Code.OUTPUT_UNWRITABLE, why=error.strerror or str(error)
        ) from error

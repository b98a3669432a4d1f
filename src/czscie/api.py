"""czscie as a library (docs/reference/api.md): what the commands do, as functions that print nothing.

Every function raises CzscieError for what its caller can fix: files that are missing or damaged, manifests
with mistakes, servers that do not answer, disks that are full. `session` is what a run works with, by default
what the environment says, with a silent console; `Session.of` makes others. `platforms` are those of the
manifest to work on, all when empty. What a function needs it imports when it is called, as commands do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from czscie.errors import Code, CzscieError
from czscie.lock.use import LockUse

if TYPE_CHECKING:
    from czscie.attestation.attestor import Attestor
    from czscie.build_plan import BuildPlan
    from czscie.czex.inject import Compression, Injected
    from czscie.image.build import BuiltImages, ImageOptions
    from czscie.init.program import Program
    from czscie.lift.lift import Lift
    from czscie.lock.upgrade import Upgrade
    from czscie.platforms import Platform
    from czscie.scie.inspect import Contents
    from czscie.session import Session
    from czscie.verify.findings import Findings

__all__ = [
    "build",
    "check_lock",
    "eject",
    "executable",
    "image",
    "init",
    "inject",
    "inspect",
    "inspect_page",
    "lock",
    "plan",
    "sbom",
    "vendor",
    "verify",
    "verify_vendor",
]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _explained(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """`function`, with what the operating system refuses told as a CzscieError."""

    @wraps(function)
    def explained(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        try:
            return function(*arguments, **options)
        except OSError as error:
            from czscie.disk import explain

            raise explain(error) from error

    return explained


def _session(session: Session | None) -> Session:
    from czscie.session import Session

    return Session.of() if session is None else session


def _load(
    subject: Path | Program, platforms: Sequence[Platform], session: Session
) -> tuple[Lift, list[Platform]]:
    """The lift of a manifest or a program, and those of its platforms to build for."""
    from czscie.loader import check_lift, load_lift

    if isinstance(subject, Path):
        return load_lift(subject, platforms, session.files, session.inverted)
    from czscie.inferred_lift import infer_lift

    return check_lift(infer_lift(subject, session), platforms)


@contextmanager
def _advising(subject: Path | Program) -> Iterator[None]:
    """Has errors name options where their hints name keys of a manifest, and `subject` has none."""
    try:
        yield
    except CzscieError as error:
        if isinstance(subject, Path):
            raise
        raise error.without_manifest(subject.arguments) from error


@_explained
def init(
    program: Program,
    manifest: Path,
    *,
    force: bool = False,
    session: Session | None = None,
) -> None:
    """Writes a first `manifest` for `program`. A manifest that is there already stays unless `force`.

    If a build without a manifest has locked the same, its lock is written beside the manifest.
    """
    from czscie.inferred_lift import keep_lock
    from czscie.init.generate import write_first_manifest

    session = _session(session)
    lift = write_first_manifest(program, manifest, session, force=force)
    keep_lock(program, lift, session)


@_explained
def lock(
    manifest: Path,
    upgrade: Upgrade | None = None,
    *,
    attestor: Attestor | None = None,
    session: Session | None = None,
) -> Path:
    """Pins all that `manifest` asks for in the lock beside it, and returns the path of that.

    What is locked stays unless the manifest has changed or `upgrade` covers it. `attestor` verifies who built
    the interpreters (docs/reference/attestations.md).
    """
    from czscie.lock.command import update_lock
    from czscie.lock.upgrade import Upgrade

    return update_lock(manifest, upgrade or Upgrade(), _session(session), attestor)


@_explained
def check_lock(manifest: Path, *, session: Session | None = None) -> tuple[str, ...]:
    """What `lock` would change, a line each; empty when the lock is up to date. Writes nothing."""
    from czscie.lock.command import check_lock as changes_of

    return changes_of(manifest, _session(session))


@_explained
def plan(
    subject: Path | Program,
    output: Path,
    *,
    platforms: Sequence[Platform] = (),
    use: LockUse = LockUse.UPDATE,
    as_file: bool = False,
    session: Session | None = None,
) -> BuildPlan:
    """What `build` with the same arguments would do, download and write. Writes nothing."""
    from czscie.build_plan import plan_lift

    session = _session(session)
    with _advising(subject):
        lift, targets = _load(subject, platforms, session)
        return plan_lift(lift, targets, output, session, use, as_file=as_file)


@_explained
def build(
    subject: Path | Program,
    output: Path,
    *,
    platforms: Sequence[Platform] = (),
    use: LockUse = LockUse.UPDATE,
    as_file: bool = False,
    session: Session | None = None,
) -> list[Contents]:
    """Builds the executables of a manifest or a program, and the bundles that the manifest asks for, into the
    directory `output`; `as_file` makes `output` the path of the only executable.

    Returns what is in each, with its path and SHA-256. `use` says what to do about a manifest's lock that is
    not up to date. The lock of a program is in the cache.
    """
    from czscie.build import build_into

    session = _session(session)
    with _advising(subject):
        lift, targets = _load(subject, platforms, session)
        return build_into(lift, targets, output, session, use, as_file=as_file)


@_explained
def executable(
    subject: Path | Program, *, use: LockUse = LockUse.UPDATE, session: Session | None = None
) -> Path:
    """The path of an executable for this machine, in the cache. It is built unless it is there."""
    from czscie.build import provide_executable
    from czscie.platforms import current_platform

    session = _session(session)
    with _advising(subject):
        lift, _ = _load(subject, [current_platform()], session)
        return provide_executable(lift, session, use)


@_explained
def image(
    manifest: Path,
    options: ImageOptions,
    *,
    platforms: Sequence[Platform] = (),
    use: LockUse = LockUse.UPDATE,
    session: Session | None = None,
) -> BuiltImages:
    """Makes a container image for each Linux platform of `manifest`. `options` say what to write where."""
    from czscie.image.build import make_images

    return make_images(manifest, platforms, options, _session(session), use)


@_explained
def vendor(
    manifest: Path,
    directory: Path,
    *,
    platforms: Sequence[Platform] = (),
    session: Session | None = None,
) -> None:
    """Writes all that a build of `manifest` takes into `directory` (docs/reference/vendor.md)."""
    from czscie.loader import load_lift
    from czscie.vendor.write import write_vendor

    session = _session(session)
    lift, targets = load_lift(manifest, platforms, session.files, session.inverted)
    write_vendor(lift, targets, directory, session)


@_explained
def verify_vendor(
    manifest: Path,
    directory: Path,
    *,
    platforms: Sequence[Platform] = (),
    session: Session | None = None,
) -> tuple[str, ...]:
    """A line for each file of a vendor directory that is not what the lock of `manifest` gives.

    Without `platforms` the directory has to be for those that it says it is for.
    """
    from czscie.loader import load_lift
    from czscie.vendor.verify import verify_vendor as verify_directory

    session = _session(session)
    lift, targets = load_lift(manifest, platforms, session.files, session.inverted)
    return verify_directory(lift, targets if platforms else (), directory, session)


@_explained
def inspect(executable: Path) -> Contents:
    """What is in an executable that czscie built: parts, sizes in bytes, digests, commands."""
    from czscie.scie.inspect import read_scie

    try:
        return read_scie(executable)
    except CzscieError as error:
        from czscie.composition.czex import is_czex

        if error.code is not Code.NOT_AN_EXECUTABLE or not is_czex(executable):
            raise
        raise CzscieError(
            f"{executable} is a CZEX",
            code=error.code,
            why="only its page shows what is in it",
            hint=f"czscie inspect {executable} --html {executable.stem}.html",
        ) from error


@_explained
def inspect_page(executable: Path, page: Path, *, older: Path | None = None) -> None:
    """Writes an HTML page of what an executable or a CZEX is made of, by size, to `page`.

    With `older`, another such file, the page shows what changed since.
    """
    from czscie.composition.write import write_page

    write_page(executable, page, older)


@_explained
def sbom(executable: Path) -> bytes:
    """The bill of materials of an executable: CycloneDX 1.6, in JSON."""
    from czscie.scie.inspect import read_sbom

    return read_sbom(executable)


@_explained
def verify(
    executable: Path,
    *,
    lock: Path | None = None,
    manifest: Path | None = None,
    session: Session | None = None,
) -> Findings:
    """Checks every digest of an executable, and that nothing else is in it.

    With `lock` it is compared with that lock, with `manifest` with what that builds again. What differs is in
    the result, and no error.
    """
    from czscie.verify.findings import verify as verify_executable

    return verify_executable(executable, lock, manifest, _session(session))


@_explained
def inject(
    pex: Path,
    output: Path | None = None,
    *,
    platforms: Sequence[Platform] = (),
    compression: Compression | None = None,
    session: Session | None = None,
) -> Injected:
    """Makes the PEX at `pex` a CZEX: `output`, by default beside it.

    `platforms` are those to include launchers for, by default those of the wheels.
    """
    from czscie.console import megabytes
    from czscie.container.level import DEFAULT_LEVEL
    from czscie.czex.inject import Compression, default_output
    from czscie.czex.inject import inject as inject_pex
    from czscie.launchers.provide import provide_launcher
    from czscie.live import BYTES

    session = _session(session)
    console, network = session.console, session.network
    with console.phase(f"Packing {pex}", f"Packed {pex}", has_bar=True) as phase:
        made = inject_pex(
            pex,
            output or default_output(pex),
            platforms,
            lambda name: provide_launcher(name, console, network),
            compression or Compression(DEFAULT_LEVEL),
            lambda done, total: phase.count(done, total, BYTES),
        )
        phase.become(f"Packed {pex}: {megabytes(made.size)}, for {', '.join(made.launchers)}")
    return made


@_explained
def eject(czex: Path, output: Path | None = None, *, session: Session | None = None) -> Path:
    """Makes a CZEX a plain PEX again, and returns its path: `output`, by default beside the CZEX."""
    from czscie.console import megabytes
    from czscie.czex.eject import default_output
    from czscie.czex.eject import eject as eject_czex

    target = output or default_output(czex)
    with _session(session).console.phase(f"Ejecting {czex}", f"Ejected {czex}") as phase:
        eject_czex(czex, target)
        phase.become(f"Ejected {czex}: {megabytes(target.stat().st_size)}")
    return target

"""What manifest, lock, wheels and launchers tell of a build that cannot succeed, before anything is packed.

`czscie plan` makes the same checks, of what is on this machine, and says the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from czscie.build_cache import key_of, knowledge
from czscie.cache import cache_root
from czscie.czex.definitions import check_defined
from czscie.czex.entry_override import modules_of, scripts_of, with_entry_point
from czscie.czex.info import PexInfo
from czscie.czex.inline_metadata import read_source
from czscie.czex.script_imports import missing_imports
from czscie.disk import check_room
from czscie.errors import Code, CzscieError, problems_of, raise_all
from czscie.filesystem import check_writable, path_digest
from czscie.launchers.provide import check_provided
from czscie.lift.lift import Lift
from czscie.lift.payload import Payload
from czscie.lock.builder import UNBUILT, Builder, remote_of
from czscie.lock.inventory.input import Scope
from czscie.lock.inventory.interpreter import InterpreterInput
from czscie.lock.inventory.inventory import inventory, of_kind
from czscie.lock.inventory.wheel import WheelInput
from czscie.lock.lock import Lock
from czscie.lock.packages import Chosen
from czscie.lock.wheels import wheel_files
from czscie.network.fetch import find, is_here
from czscie.network.remote import Remote
from czscie.platforms import ANY_GLIBC, Platform
from czscie.scie.commands import check_scripts
from czscie.session import Session
from czscie.wheel.entry_points import EntryPoint
from czscie.wheel.wheel import Wheel, read_wheels


class _Passed(msgspec.Struct, frozen=True):
    """A check that found nothing, as the cache keeps it."""


class _Missing(msgspec.Struct, frozen=True):
    """The modules that a script imports and nothing provides."""

    modules: tuple[str, ...]


class _NotHereError(Exception):
    """A wheel would have to be downloaded first."""


#: What packing leaves at least of what is downloaded, by its kind: modules that are not needed go, and zstd
#: takes less than the archive does.
_PACKED: Mapping[str, float] = {InterpreterInput.KIND: 0.25, WheelInput.KIND: 0.5}


def check_output(paths: Sequence[Path]) -> None:
    """Raises CzscieError when one of the executables at `paths` cannot be written there."""
    for path in paths:
        if path.is_dir():
            raise CzscieError(
                f"cannot write {path}",
                code=Code.OUTPUT_UNWRITABLE,
                why="it is a directory",
                hint="name a file: -o FILE",
            )
        check_writable(path, "name another directory: czscie build -o DIR")


def check_build(
    lift: Lift,
    lock: Lock,
    targets: Sequence[Platform],
    session: Session,
    outputs: Mapping[Platform, Path],
    *,
    fetches: bool,
) -> None:
    """Raises one CzscieError with everything that keeps the executables for `targets` from being built.

    `outputs` are their paths, as far as files are written. Unless it `fetches`, what takes a download is left
    out.
    """
    if fetches:
        _check_vendored(lift, lock, targets, session)
    checks: list[Callable[[], object]] = [partial(_check_room, lift, lock, targets, session, outputs)]
    for target in targets:
        name, pin = target.launcher, lock.launcher.sha256(target.launcher)
        checks += [
            partial(check_provided, name, session.network, pin, now=fetches),
            partial(_check_payload, lift, lock, target, session, fetches),
        ]
    raise_all(problems_of(checks))
    _tell_missing_imports(lift, lock, targets, session, fetches)


def _check_vendored(lift: Lift, lock: Lock, targets: Sequence[Platform], session: Session) -> None:
    """Raises one CzscieError with all inputs that the vendor directory of an offline build lacks."""
    network = session.network
    if not (network.offline and network.directories):
        return
    inputs = inventory(Scope(lift, lock, targets, session.provider))
    lost = [f"{each.vendor_path}, SHA-256 {each.sha256}" for each in inputs if each.is_missing(network)]
    if lost:
        number = "an input is" if len(lost) == 1 else f"{len(lost)} inputs are"
        parcel = network.directories[0].parent.name
        command = f"czscie vendor {shlex.join([parcel, str(lift.path)])}"
        raise CzscieError(
            f"{number} neither in {parcel} nor in the cache, and czscie is offline",
            code=Code.OFFLINE,
            why=dict.fromkeys(lost),
            hint=f"run {command} on a machine with network access, and copy {parcel} here",
        )


def _check_room(
    lift: Lift, lock: Lock, targets: Sequence[Platform], session: Session, outputs: Mapping[Platform, Path]
) -> None:
    """Raises CzscieError when downloads, what is packed of them and the executables do not fit the disk."""
    needs: list[tuple[Path, int]] = []
    missing: dict[Remote, int] = {}
    for target in targets:
        for each in inventory(Scope(lift, lock, (target,), session.provider)):
            remote = each.remote
            if remote is None or remote.size is None:
                continue
            packed = int(remote.size * _PACKED.get(each.KIND, 0))
            if target in outputs:
                needs.append((outputs[target], packed))
            if not is_here(remote, session.network):
                missing[remote] = remote.size + packed
    check_room([*((cache_root(), size) for size in missing.values()), *needs])


def _check_payload(lift: Lift, lock: Lock, target: Platform, session: Session, fetches: bool) -> None:
    """Raises CzscieError when the payload lacks wheels that `target` needs, or what it is to start."""
    payload = lift.payload
    if payload is None:
        return
    if payload.pex is not None:
        _check_pex(payload, payload.pex, lock, target)
        return
    if payload.script is not None or payload.sources:
        return
    chosen = _chosen(lift, lock, target, session)
    wanted = (payload.entry_point, payload.scripts, payload.default)
    key = key_of("checked", repr(wanted), str(lift.own_lock is None), *(each.wheel.sha256 for each in chosen))

    def check() -> _Passed:
        _check_starts(lift, payload, _files(chosen, lift, session, fetches))
        return _Passed()

    with suppress(_NotHereError):
        knowledge(key, _Passed, check)


def _chosen(lift: Lift, lock: Lock, target: Platform, session: Session) -> tuple[Chosen, ...]:
    """The wheels of the payload for `target`, without those that czscie adds."""
    inputs = inventory(Scope(lift, lock, (target,), session.provider))
    return tuple(each.chosen for each in of_kind(inputs, WheelInput) if not each.added)


def _files(chosen: Sequence[Chosen], lift: Lift, session: Session, fetches: bool) -> list[Path]:
    """The wheels as files. Raises _NotHereError when one is not here, unless it `fetches`."""
    directory = lift.path.parent.absolute()
    if fetches and not session.network.offline:
        return wheel_files(chosen, directory, Builder.of(lift, session))
    return _files_here(chosen, directory, session)


def _files_here(chosen: Sequence[Chosen], directory: Path, session: Session) -> list[Path]:
    """The wheels as files of this machine. Raises _NotHereError when one is not here."""
    remotes = [remote_of(each.wheel, directory) for each in chosen if each.wheel.sha256 != UNBUILT]
    paths = [path for each in remotes if (path := find(each, session.network)) is not None]
    if len(paths) < len(chosen):
        raise _NotHereError
    return paths


def _check_starts(lift: Lift, payload: Payload, files: Sequence[Path]) -> None:
    wheels = read_wheels(files, "the payload")
    scripts = scripts_of(wheels)
    check_scripts(payload, scripts)
    if payload.entry_point is None:
        if payload.scripts is None and lift.own_lock is not None:
            names = own_scripts_first(wheels)
            raise CzscieError(
                f"{lift.path.name} does not say what to start",
                code=Code.START_UNKNOWN,
                why=f"its console scripts are: {', '.join(names)}" if names else "it has no scripts",
                hint=f"czscie build -r {lift.path.name} -c {next(iter(names), 'NAME')}",
            )
        return
    info = with_entry_point(PexInfo.parse(b"{}", lift.name), wheels, payload.entry_point)
    if info.entry_point is not None:
        check_defined(EntryPoint.parse(info.entry_point), wheels, ())


def own_scripts_first(wheels: Sequence[Wheel]) -> tuple[str, ...]:
    """The names of the scripts of `wheels`: those of the wheels that no other requires come first."""
    required = {
        canonicalize_name(each.name)
        for wheel in wheels
        for each in wheel.requirements()
        if canonicalize_name(each.name) != wheel.project
    }
    own = [wheel for wheel in wheels if wheel.project not in required]
    return tuple(dict.fromkeys((*scripts_of(own), *scripts_of(wheels))))


def _tell_missing_imports(
    lift: Lift, lock: Lock, targets: Sequence[Platform], session: Session, fetches: bool
) -> None:
    """Warns of modules that the payload's script imports, and that neither Python nor its wheels have."""
    payload = lift.payload
    if payload is None or payload.script is None:
        return
    script, found = payload.script, dict[str, None]()
    for target in targets:
        with suppress(_NotHereError):
            inputs = inventory(Scope(lift, lock, (target,), session.provider))
            chosen = tuple(each.chosen for each in of_kind(inputs, WheelInput))
            found |= dict.fromkeys(_missing_imports(lift, script, payload, chosen, session, fetches))
    if not found:
        return
    verb, them = ("is", "it") if len(found) == 1 else ("are", "them")
    session.console.warn(
        f"{script.name} imports {', '.join(found)}, which {verb} neither in its dependencies nor in the "
        f"standard library (list {them} in a # /// script block)"
    )


def _missing_imports(
    lift: Lift, script: Path, payload: Payload, chosen: Sequence[Chosen], session: Session, fetches: bool
) -> tuple[str, ...]:
    own = {script.stem, *(source.name.partition(".")[0] for source in payload.sources)}

    def find_missing() -> _Missing:
        wheels = read_wheels(_files(chosen, lift, session, fetches), "the payload")
        if any(member.path.endswith(".pth") for wheel in wheels for member in wheel.members):
            return _Missing(())  # it may add directories with more modules
        return _Missing(missing_imports(read_source(script), own | modules_of(wheels, ())))

    digests = (path_digest(script), *(each.wheel.sha256 for each in chosen))
    return knowledge(key_of("imports", repr(sorted(own)), *digests), _Missing, find_missing).modules


def _check_pex(payload: Payload, path: Path, lock: Lock, platform: Platform) -> None:
    locked = lock.interpreter(payload.interpreter, platform.name)
    if locked is None:
        return
    python, glibc = locked.implementation, payload.glibc or ANY_GLIBC
    wanted = (payload.entry_point, payload.scripts, payload.default, str(python), glibc)
    digest = None if lock.payload is None else lock.payload.sha256

    def check() -> _Passed:
        from czscie.czex.pex import Pex
        from czscie.czex.resolve import resolve

        with Pex.open(path) as pex:
            wheels = resolve(pex, platform, python, glibc).wheels
            check_scripts(payload, scripts_of(wheels))
            info = pex.info
            if payload.entry_point is not None:
                info = with_entry_point(info, wheels, payload.entry_point, pex.sources)
            if payload.scripts is None and info.entry_point:
                try:
                    point = EntryPoint.parse(info.entry_point)
                except ValueError:  # converting says so
                    return _Passed()
                check_defined(point, wheels, pex.sources)
        return _Passed()

    knowledge(key_of("checked", repr(wanted), platform.name, digest or str(path)), _Passed, check)

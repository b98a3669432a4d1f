"""A build, from start to end: manifest, lock, inputs, parts, and one file per platform.

Each stage writes a file of the user's cache, named by its inputs: a second build only assembles the parts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import msgspec

from czscie import __version__
from czscie.build_cache import key_of, mending
from czscie.cache import cache_directory, mark_used
from czscie.console import Console, megabytes
from czscie.container.level import RELEASE_LEVEL
from czscie.czex.layer_split import LayerSplit
from czscie.errors import Code, CzscieError
from czscie.filesystem import clearing_up, file_digest
from czscie.launchers.build import oldest_macos
from czscie.leftovers import scratch
from czscie.lift.laziness import Laziness
from czscie.lift.lift import Lift
from czscie.loader import load_lift
from czscie.lock.ensure import ensure_lock
from czscie.lock.inputs import locked_inputs
from czscie.lock.libraries import check_libraries
from czscie.lock.use import LockUse
from czscie.parts import Parts, make_parts
from czscie.platforms import Platform, current_platform
from czscie.preflight import check_build, check_output
from czscie.report import needs
from czscie.scie.assemble import assemble
from czscie.scie.bundle import write_bundle
from czscie.scie.inspect import Contents, read_scie
from czscie.session import Session
from czscie.turns import in_turns


def build(
    manifest: Path,
    output: Path,
    platforms: Sequence[Platform],
    session: Session,
    use: LockUse = LockUse.UPDATE,
) -> list[Contents]:
    """Builds the executables of the lift manifest, and their bundles, into the directory `output`.

    The executable of a bundle is a result, too, after the one that it was made from. `platforms` restricts
    the build to these; empty means all of the manifest's. `use` is the policy for an outdated lock. Raises
    CzscieError.
    """
    lift, targets = load_lift(manifest, platforms, session.files, session.inverted)
    return build_into(lift, targets, output, session, use)


def build_into(
    lift: Lift,
    targets: Sequence[Platform],
    output: Path,
    session: Session,
    use: LockUse = LockUse.UPDATE,
    *,
    as_file: bool = False,
) -> list[Contents]:
    """The same for a lift that is checked; `as_file` makes `output` the path of its only executable."""
    path_of = output_paths(lift, targets, output, as_file=as_file)
    check_output([path_of(target) for target in targets])
    directory = output.parent if as_file else output
    with clearing_up(directory):
        _make_directory(directory)
        return build_lift(lift, targets, session, use, path_of)


def build_lift(
    lift: Lift,
    targets: Sequence[Platform],
    session: Session,
    use: LockUse,
    path_of: Callable[[Platform], Path],
) -> list[Contents]:
    """The same; `path_of` says where the executable of a platform goes."""
    outputs = {target: path_of(target) for target in targets}
    with open_parts(lift, targets, session, use=use, outputs=outputs) as make:

        def built() -> list[Contents]:
            with closing(in_turns(session.console, [partial(make, target) for target in targets])) as made:
                return [
                    each
                    for parts in made
                    for each in _assemble(parts, outputs[parts.platform], session.console)
                ]

        return mending(built, session.console.warn)


def provide_executable(lift: Lift, session: Session, use: LockUse = LockUse.UPDATE) -> Path:
    """The executable for this machine in the cache, built unless it is there. Raises CzscieError."""
    target = current_platform()
    with open_parts(lift, [target], session, use=use) as make:

        def provided() -> Path:
            parts = make(target, session.console)
            path = cache_directory("executables") / _key(parts) / f"{lift.name}{target.executable_suffix}"
            if not path.is_file():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                list(_assemble(parts, path, session.console))
            mark_used(path.parent)
            return path

        return mending(provided, session.console.warn)


def _key(parts: Parts) -> str:
    """The name of an executable in the cache: a digest of all that goes into it."""
    return key_of(
        __version__,
        file_digest(parts.launcher),
        msgspec.json.encode(parts.manifest).decode(),
        parts.sbom.decode(),
        *(f"{part.name} {part.kind} {part.sha256 or file_digest(part.path)}" for part in parts.in_order),
        *(f"{name} {data.hex()}" for part in parts.in_order for name, data in part.entries),
    )


@contextmanager
def open_parts(
    lift: Lift,
    targets: Sequence[Platform],
    session: Session,
    division: LayerSplit | None = None,
    use: LockUse = LockUse.UPDATE,
    outputs: Mapping[Platform, Path] = MappingProxyType({}),
) -> Iterator[Callable[[Platform, Console], Parts]]:
    """Makes the parts for one of `targets`, and says so on a console. They exist until the context ends.

    The lift's lock pins them; `use` is as in `build`. With `division` the application is kept apart from its
    dependencies (czscie.parts). `outputs` are the executables that are made of them. Raises CzscieError, as
    does making parts.
    """
    if division is not None:
        lift = lift.filled()
    embedded = {each for target in targets for each in Laziness.of(lift, target).embedded}
    for key, why in sorted(embedded):
        session.console.warn(f"{key} has no effect, because {why}")
    lock = ensure_lock(lift, targets, use, session)
    check_libraries(lock, use, session.console, images=division is not None)
    check_build(lift, lock, targets, session, outputs, fetches=True)
    if session.release:
        lift = replace(lift, compression_level=max(lift.compression_level or 0, RELEASE_LEVEL))
    with scratch() as within:

        def make(target: Platform, console: Console) -> Parts:
            directory = Path(tempfile.mkdtemp(dir=within))
            inputs = locked_inputs(lift, lock, target, replace(session, console=console), directory)
            return make_parts(inputs, directory, console, division)

        yield make


def file_stem(lift: Lift, platform: Platform) -> str:
    """The file name for `platform` without its ending. With a single platform it is the lift's name."""
    return lift.name if len(lift.platforms) == 1 else f"{lift.name}-{platform.name}"


def executable_path(lift: Lift, platform: Platform, output: Path) -> Path:
    """The path of the executable for `platform` in the directory `output`."""
    return output / f"{file_stem(lift, platform)}{platform.executable_suffix}"


def output_paths(
    lift: Lift, targets: Sequence[Platform], output: Path, *, as_file: bool = False
) -> Callable[[Platform], Path]:
    """Where the executable of a platform goes: into the directory `output`, or there if `as_file`.

    Raises CzscieError when one file is to be the executable of several platforms.
    """
    if not as_file:
        return lambda platform: executable_path(lift, platform, output)
    if len(targets) > 1:
        raise CzscieError(
            f"cannot write {len(targets)} executables into one file",
            code=Code.OPTION_INVALID,
            why=f"the platforms are: {', '.join(platform.name for platform in targets)}",
            hint=f"name a directory: -o {output}/",
        )
    return lambda platform: output


def bundle_path(lift: Lift, platform: Platform, output: Path) -> Path | None:
    """The path of the application bundle for `platform` in `output`; None when the manifest asks for none."""
    bundle = lift.macos.bundle
    if bundle is None or platform.os != "macos":
        return None
    return output / f"{bundle.name if len(lift.platforms) == 1 else f'{bundle.name}-{platform.name}'}.app"


def _make_directory(output: Path) -> None:
    """Runs before anything is downloaded or packed for it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CzscieError(
            f"cannot write into {output}",
            code=Code.OUTPUT_UNWRITABLE,
            why=f"{error.filename}: {error.strerror}",
            hint="name another directory: czscie build -o DIR",
        ) from error


def write_executable(parts: Parts, path: Path) -> Contents:
    """The executable of `parts`, written to `path`. Raises CzscieError."""
    assemble(path, parts.launcher, __version__, parts.in_order, parts.manifest, parts.sbom, parts.urls)
    return read_scie(path)


def _assemble(parts: Parts, path: Path, console: Console) -> Iterator[Contents]:
    with console.phase(f"Writing {path}", f"Wrote {path}") as phase:
        contents = write_executable(parts, path)
        phase.become(f"Wrote {path} ({megabytes(contents.size)})")
    if parts.summary:
        console.line(f"{parts.summary} (-v lists them)")
    console.line(f"Needs {needs(contents)}")
    yield contents
    bundle = bundle_path(parts.lift, parts.platform, path.parent)
    if bundle is not None and parts.lift.macos.bundle is not None:
        with console.phase(f"Writing {bundle}", f"Wrote {bundle}"):
            oldest = oldest_macos(parts.platform.launcher)
            yield read_scie(write_bundle(bundle, contents, parts.lift.macos.bundle, oldest))

"""The steps of `czscie image`: manifest, parts, layers, and one image per platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from czscie.build import open_parts
from czscie.build_cache import mending
from czscie.console import Console
from czscie.container.part import open_part
from czscie.czex.layer_split import LayerSplit
from czscie.elf import Elf
from czscie.errors import Code, CzscieError
from czscie.filesystem import check_writable
from czscie.image.archive import write_archive, write_layout
from czscie.image.base import check_base, read_base
from czscie.image.image import CREATED, Base, ContainerImage, compose, scratch
from czscie.image.layers import make_contents
from czscie.image.platform import ImagePlatform
from czscie.lift.image_reference import ImageReference
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.loader import load_lift
from czscie.lock.use import LockUse
from czscie.parts import Parts
from czscie.platforms import Platform
from czscie.session import Session
from czscie.turns import in_turns

_ANNOTATION = "org.opencontainers.image."
#: What engines look in when an image names no PATH.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """The options of the command line, which override the manifest.

    `archive` and `layout` are the outputs: a file, a directory.
    """

    archive: Path | None
    layout: Path | None
    name: ImageReference | None = None
    base: tuple[Path, ...] = ()

    @classmethod
    def parse(
        cls, archive: Path | None, layout: Path | None, name: str | None, base: Sequence[Path]
    ) -> ImageOptions:
        """Raises CzscieError for an invalid name."""
        reference = None if name is None else ImageReference.parse(name)
        if name is not None and reference is None:
            raise CzscieError(
                f"{name!r} is not the name of an image",
                code=Code.OPTION_INVALID,
                hint="choose one such as registry.example.com/team/app:1.0, in lower case",
            )
        return cls(archive, layout, reference, tuple(base))


@dataclass(frozen=True, slots=True)
class BuiltImages:
    """The images of one lift, and their name."""

    reference: ImageReference
    images: tuple[ContainerImage, ...]


def make_images(
    manifest: Path,
    platforms: Sequence[Platform],
    order: ImageOptions,
    session: Session,
    use: LockUse = LockUse.UPDATE,
) -> BuiltImages:
    """Builds the images of the Linux platforms of the lift manifest, or of `platforms`.

    `use` is the policy for an outdated lock. Raises CzscieError.
    """
    lift, targets = load_lift(manifest, platforms, session.files, session.inverted)
    for path in filter(None, (order.archive, order.layout)):
        check_writable(path, "name another place: czscie image -o FILE, or --oci DIR")
    targets = _choose(lift, targets, chosen=bool(platforms))
    reference = order.name or lift.image.name or ImageReference.of(lift.name)
    bases = order.base or lift.image.base
    division = LayerSplit(frozenset(map(_normalized, lift.image.application)))
    console = session.console
    if not bases:
        _check_bundled(lift, targets)
    for target in targets if bases else ():
        check_base(bases, ImagePlatform.of(target))
    with open_parts(lift, targets, session, division, use) as make:

        def attempt() -> BuiltImages:
            with closing(in_turns(console, [partial(make, target) for target in targets])) as parts:
                made = BuiltImages(reference, tuple(_make(each, bases, console) for each in parts))
            _write(made, order, console)
            return made

        return mending(attempt, console.warn)


def _write(made: BuiltImages, order: ImageOptions, console: Console) -> None:
    if order.archive is not None:
        with console.phase(f"Writing {order.archive}", f"Wrote {order.archive}"):
            write_archive(made.images, made.reference, order.archive)
    if order.layout is not None:
        with console.phase(f"Writing {order.layout}", f"Wrote {order.layout}"):
            write_layout(made.images, made.reference, order.layout)


def _choose(lift: Lift, platforms: Sequence[Platform], *, chosen: bool) -> list[Platform]:
    """The `platforms` that can have images, one per architecture."""
    found: dict[ImagePlatform, Platform] = {}
    for platform in platforms:
        if platform.os != "linux":
            if chosen:
                raise CzscieError(
                    f"cannot build an image for {platform.name}",
                    code=Code.IMAGE_PLATFORM,
                    why="images are for Linux only",
                )
            continue
        taken = found.setdefault(ImagePlatform.of(platform), platform)
        if taken is not platform:
            raise CzscieError(
                f"{taken.name} and {platform.name} are the same platform in an image",
                code=Code.IMAGE_PLATFORM,
                hint=f"name one of them: --platform {taken.name}",
            )
    if not found:
        raise CzscieError(
            f"{lift.path} has no Linux platform, and images are for Linux only",
            code=Code.IMAGE_PLATFORM,
            hint='add "linux-x86_64" to lift.platforms',
        )
    return list(found.values())


def _normalized(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def _make(parts: Parts, bases: Sequence[Path], console: Console) -> ContainerImage:
    platform = ImagePlatform.of(parts.platform)
    settings = parts.lift.image
    if bases:
        base = read_base(bases, platform)
    else:
        if parts.libc is None:
            _check_libc(parts)
        base = scratch(platform)
    with console.phase(
        f"Laying out the image for {platform.name}", f"Laid out the image for {platform.name}"
    ):
        contents = make_contents(parts, settings.directory, from_scratch=not bases)
    labels = {f"{_ANNOTATION}title": parts.lift.name, f"{_ANNOTATION}created": CREATED}
    if parts.lift.description is not None:
        labels[f"{_ANNOTATION}description"] = parts.lift.description
    labels |= settings.labels
    executables = f"{settings.directory}/bin"
    config = {
        "User": settings.user,
        "Env": _environment(base, executables, settings.env),
        "Entrypoint": [f"{executables}/{contents.command}"],
        "Cmd": None,
        "Labels": {**(base.configuration.config.get("Labels") or {}), **labels},
    }
    return compose(base, contents.layers, config, labels)


def _environment(base: Base, executables: str, more: Mapping[str, str]) -> list[str]:
    """The base's variables with the directory of the executables in front of its PATH, and `more`."""
    inherited = dict(each.partition("=")[::2] for each in base.configuration.config.get("Env") or ())
    path = inherited.get("PATH", _PATH if base.layers else "")
    variables = {**inherited, "PATH": ":".join(filter(None, (executables, path))), **more}
    return [f"{name}={value}" for name, value in variables.items()]


def _check_bundled(lift: Lift, targets: Sequence[Platform]) -> None:
    """Raises CzscieError when an image FROM scratch has no glibc for its Python: all such are dynamic."""
    for target in targets if lift.libc.bundle == NEVER and lift.interpreters else ():
        if target.libc == "gnu":
            raise _no_libc(target, "it needs the C library, and none is bundled")


def _no_libc(platform: Platform, why: str) -> CzscieError:
    return CzscieError(
        f"the interpreter for {platform.name} does not start in an image FROM scratch",
        code=Code.IMAGE_WITHOUT_LIBC,
        why=why,
        hint='bundle one: [lift.libc] bundle = "when-missing" (or name an image that has it: --base)',
    )


def _check_libc(parts: Parts) -> None:
    """Raises CzscieError when an image FROM scratch lacks the loader that its Python needs."""
    for identifier, part in parts.interpreters.items():
        python = parts.layouts[identifier].layout.python
        with open_part(part.path) as opened:
            program = opened.find(python)
        loader = None if program is None else Elf.parse(program, python).interpreter
        if loader is not None:
            raise _no_libc(parts.platform, f"it needs {loader} of the C library")

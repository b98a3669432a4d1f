"""The payload's PEX, assembled from what a lock pins: wheels, and possibly a script. Nothing is resolved."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement

from czscie.czex import info as pex_info
from czscie.disk import writing
from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from czscie.inputs import PayloadPex
from czscie.lift.lift import Lift
from czscie.lift.payload import Payload
from czscie.lock.builder import Builder
from czscie.lock.inventory.input import Input
from czscie.lock.inventory.inventory import of_kind
from czscie.lock.inventory.payload import PayloadInput
from czscie.lock.inventory.wheel import WheelInput
from czscie.lock.packages import Chosen
from czscie.lock.wheels import wheel_files
from czscie.session import Session

#: What pex calls the script of a PEX, in which it is the entry point: a name that nothing else has.
_SCRIPT = "__pex_executable__"
#: What Python leaves in directories of sources.
_NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.pyc")


def locked_payload(
    lift: Lift, inputs: Sequence[Input], directory: Path, session: Session
) -> PayloadPex | None:
    """The payload of `lift` for one platform, of its `inputs`; None when there is none.

    `directory`, which is made, is for this build alone. Nothing is fetched before the PEX is asked for.
    Raises CzscieError when what is here is not what is locked.
    """
    payload = lift.payload
    if payload is None:
        return None
    named = {each.path: each.digest() for each in of_kind(inputs, PayloadInput)}
    if payload.pex is not None:
        pex = payload.pex
        return PayloadPex(pex.name, named[pex], lambda: pex)
    chosen = tuple(each.chosen for each in of_kind(inputs, WheelInput) if not each.added)
    script = payload.script

    def make() -> Path:
        files = wheel_files(chosen, lift.path.parent.absolute(), Builder.of(lift, session))
        place = directory / lift.name
        with writing(place, sum(file.stat().st_size for file in files)):
            module = _source_module(payload) if script is None else script_module(script, files)
            return _lay_out(place, _pex_info(lift, chosen, module), files, script, module, payload.sources)

    # The module's name follows from that of the script and the wheels.
    asked = _pex_info(lift, chosen, _source_module(payload) if script is None else script.name)
    digests = [*([] if script is None else [named[script]]), *map(_source_digest, payload.sources)]
    digest = hashlib.sha256(b"\0".join((asked, "\0".join(digests).encode()))).hexdigest()
    local = frozenset(each.package.name for each in chosen if each.package.directory is not None)
    return PayloadPex(lift.name, digest, make, local)


def script_module(script: Path, wheels: Sequence[Path]) -> str:
    """The module name of the script: its own name, which is also that of its `__file__`.

    If a module of the standard library or of `wheels` has that name, or it has a dot, it is pex's name.
    """
    if script.suffix != ".py" or "." in script.stem or script.stem in sys.stdlib_module_names:
        return _SCRIPT
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            if script.stem in {name.partition("/")[0].partition(".")[0] for name in archive.namelist()}:
                return _SCRIPT
    return script.stem


def _source_module(payload: Payload) -> str | None:
    """The module that starts when nothing else is said: the only file of Python among the sources."""
    files = [source for source in payload.sources if source.suffix == ".py"]
    return files[0].stem if len(files) == 1 else None


def _pex_info(lift: Lift, chosen: tuple[Chosen, ...], module: str | None) -> bytes:
    """The PEX-INFO of a PEX of these wheels, as pex writes it, without what describes pex itself.

    `module` is the entry point, None without one.
    """
    payload = lift.payload
    assert payload is not None
    requirements = [f"{each.package.name}=={each.package.version}" for each in chosen]
    if payload.requirements is not None:
        requirements = [_without_url(each) for each in payload.requirements]
    document = {
        "deps_are_wheel_files": True,
        "distributions": {each.wheel.name: each.wheel.sha256 for each in chosen},
        "requirements": requirements,
        **({} if module is None else {"entry_point": module}),
    }
    return json.dumps(document, sort_keys=True).encode()


def _without_url(text: str) -> str:
    """The requirement without its URL, which may contain a password."""
    requirement = Requirement(text)
    requirement.url = None
    return str(requirement)


def _lay_out(
    directory: Path,
    info: bytes,
    wheels: list[Path],
    script: Path | None,
    module: str | None,
    sources: Sequence[Path],
) -> Path:
    """A PEX as a directory, whose wheels are those of the cache, and its script the `module`.

    `sources` are at its top, each by its own name.
    """
    (directory / ".deps").mkdir(parents=True)
    (directory / pex_info.PATH).write_bytes(info)
    for wheel in wheels:
        _link(wheel, directory / ".deps" / wheel.name)
    if script is not None:
        shutil.copyfile(script, directory / f"{module}.py")
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, directory / source.name, ignore=_NOT_SOURCE)
        else:
            shutil.copyfile(source, directory / source.name)
    return directory


def _source_digest(source: Path) -> str:
    """Raises CzscieError when nothing is at the path `source` of the manifest."""
    if not source.exists():
        raise CzscieError(
            f"there is nothing at {source}", code=Code.FILE_MISSING, why="lift.payload.sources names it"
        )
    return f"{source.name} {path_digest(source)}"


def _link(path: Path, link: Path) -> None:
    try:
        os.link(path, link)
    except OSError:  # another file system
        shutil.copyfile(path, link)

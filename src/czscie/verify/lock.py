"""Whether an executable holds what a lock says, as far as the file alone can tell.

The file says which inputs it was made of. What becomes of them when they are packed has digests of its own,
so the digest of an input cannot be computed from the file; the launcher is in it as it was compiled, and
wheels are in it under their names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from czscie import pe
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.launchers.build import source_digest
from czscie.launchers.provide import provide_launcher
from czscie.libc.packages import ARCHITECTURES, PackageTable, builtin_table
from czscie.lift.bare import Bare
from czscie.lock.lock import Lock, LockedPackage
from czscie.lock.provisions import SCRIPT_LAUNCHERS
from czscie.network.network import Network
from czscie.platforms import find_platform
from czscie.sbom.bill import SCRIPTS
from czscie.sbom.component import PAYLOAD as PAYLOAD_DIGEST
from czscie.sbom.component import SOURCE, WHEEL
from czscie.sbom.read import Recorded
from czscie.scie.inspect import Contents
from czscie.scie.manifest import FILES, LIBC, PAYLOAD

_WHEEL_ENTRY = re.compile(r"\.deps/(?P<name>[^/]+\.whl)(/.*)?")


@dataclass(frozen=True, slots=True)
class OwnLauncher:
    """The launcher that this czscie makes: the digest of its source and its own, None where it has none."""

    source: str
    sha256: str | None


@dataclass(slots=True)
class Comparison:
    """`agreed` counts what is as locked; `differences` and what is `unknown` are lines for people."""

    agreed: int = 0
    differences: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def digests(self, what: str, found: str | None, locked: str) -> None:
        """Compares the digest of an input that the file tells, if it does, with the one that is locked."""
        if found is None:
            self.unknown.append(f"{what}: the file does not say which it was made of")
        elif found != locked:
            self.differences.append(f"{what} is another one: SHA-256 {found}, locked {locked}")
        else:
            self.agreed += 1

    def names(self, kind: str, there: Mapping[str, object], locked: Mapping[str, object]) -> None:
        """Tells what is in the file and not in the lock, and the other way round."""
        for name in sorted(there.keys() - locked.keys()):
            self.differences.append(f"{kind} {name} is not locked")
        for name in sorted(locked.keys() - there.keys()):
            self.differences.append(f"{kind} {name} is locked and not in the file")


def compare_with_lock(
    contents: Contents, bill: Mapping[str, Recorded], lock: Lock, own: OwnLauncher
) -> Comparison:
    """Compares with `lock` what the file of `contents`, whose bill of materials is `bill`, was made of."""
    found = Comparison()
    _compare_interpreters(found, contents, bill, lock)
    _compare_files(found, bill, lock)
    _compare_payload(found, contents, bill, lock)
    _compare_launcher(found, contents, bill, lock, own)
    _compare_libc(found, contents, bill, lock)
    _compare_script_launchers(found, bill, lock)
    return found


def own_launcher(contents: Contents, lock: Lock, console: Console) -> OwnLauncher:
    """The launcher for the platform of `contents`, if its digest is not locked and that of its source is that
    of this czscie's.
    """
    source = source_digest()
    name = find_platform(contents.manifest.scie.lift.platform).launcher
    if source != lock.launcher.source or lock.launcher.sha256(name) is not None:
        return OwnLauncher(source, None)
    try:
        launcher = provide_launcher(name, console, Network.of()).read_bytes()
    except CzscieError:  # there is no compiler
        return OwnLauncher(source, None)
    return OwnLauncher(source, hashlib.sha256(launcher).hexdigest())


def _compare_interpreters(
    found: Comparison, contents: Contents, bill: Mapping[str, Recorded], lock: Lock
) -> None:
    platform = contents.manifest.scie.lift.platform
    there = {
        part.part.name: _sha256(bill, f"{part.part.name}/cpython")
        for part in contents.parts
        if part.part.kind == "interpreter"
    }
    locked = {
        each.id: each.sha256 for each in lock.interpreters if each.platform == platform and not each.helper
    }
    found.names("the interpreter", there, locked)
    for name in there.keys() & locked.keys():
        found.digests(f"the interpreter {name}", there[name], locked[name])


def _compare_files(found: Comparison, bill: Mapping[str, Recorded], lock: Lock) -> None:
    there = {name: each for reference, each in bill.items() if (name := _below(reference, FILES))}
    locked = {each.id: each.sha256 for each in lock.files}
    found.names("the file", there, locked)
    for name in there.keys() & locked.keys():
        found.digests(f"the file {name}", there[name].sha256, locked[name])


def _compare_payload(found: Comparison, contents: Contents, bill: Mapping[str, Recorded], lock: Lock) -> None:
    asked = lock.manifest.payload
    there = dict.fromkeys(_wheels(contents))
    listed = {
        name: each
        for reference, each in bill.items()
        if _below(reference, PAYLOAD) and (name := each.properties.get(WHEEL))
    }
    for name in sorted(there.keys() ^ listed.keys()):
        fault = "does not list" if name in there else "lists, without its being there,"
        found.differences.append(f"the bill of materials {fault} the wheel {name}")
    if asked is not None and (asked.pex or asked.script) and lock.payload and lock.payload.sha256:
        application = bill.get("application")
        digest = None if application is None else application.properties.get(PAYLOAD_DIGEST)
        found.digests(f"the payload {asked.pex or asked.script}", digest, lock.payload.sha256)
    platform = contents.manifest.scie.lift.platform
    packages = lock.packages_for(platform)
    added = [each for each in _provisions(lock, platform) if each.name not in {own.name for own in packages}]
    if asked is not None and asked.pex:
        # It pins its wheels, and what it has itself is not added.
        names = {wheel.name for package in added for wheel in package.all_wheels}
        theirs = {_project(name) for name in there.keys() - names}
        added = [each for each in added if each.name not in theirs]
        there = dict.fromkeys(name for name in there if name in names)
    packages = (*packages, *added)
    locked = {wheel.name: wheel.sha256 for package in packages for wheel in package.all_wheels}
    for name in sorted(there):
        if name not in locked:
            found.differences.append(f"the wheel {name} is not locked")
        elif name in listed:
            found.digests(f"the wheel {name}", listed[name].sha256, locked[name])
    for package in packages:
        if not any(wheel.name in there for wheel in package.all_wheels):
            found.differences.append(f"{package.name} {package.version} is locked and not in the file")


def _compare_libc(found: Comparison, contents: Contents, bill: Mapping[str, Recorded], lock: Lock) -> None:
    """The lock pins the table that pins the packages: they can be compared if it is czscie's own."""
    platform = find_platform(contents.manifest.scie.lift.platform)
    there = any(part.part.name == LIBC for part in contents.parts)
    # Whatever the host has: `bundle` says when it is used. Systems other than Linux are given none.
    locked = lock.libc if platform.os == "linux" else None
    if locked is None or not there:
        if there:
            found.differences.append("the C library is not locked")
        elif locked is not None:
            found.differences.append("the C library is locked and not in the file")
        return
    listed = {each.name: each for reference, each in bill.items() if _below(reference, LIBC)}
    if not listed:
        found.differences.append("the bill of materials does not list the C library")
    if locked.table != hashlib.sha256(builtin_table()).hexdigest():
        found.unknown.append("the C library: the table that pins its packages is not that of this czscie")
        return
    architecture, _ = ARCHITECTURES[platform.arch]
    pinned = {
        package.name: package
        for package in PackageTable.builtin().packages
        if package.architecture == architecture
    }
    for name, each in sorted(listed.items()):
        what = f"the C library's package {name}"
        if name not in pinned:
            found.differences.append(f"{what} is not locked")
        elif each.version != pinned[name].version:
            found.differences.append(f"{what} is {each.version}, locked {pinned[name].version}")
        else:
            found.digests(what, each.sha256, pinned[name].sha256)


def _compare_script_launchers(found: Comparison, bill: Mapping[str, Recorded], lock: Lock) -> None:
    """A payload without scripts for Windows has none of them, whatever the lock pins."""
    listed = bill.get(f"{SCRIPTS}/{SCRIPT_LAUNCHERS}")
    if listed is None:
        return
    locked = [wheel for each in lock.provisions if each.name == SCRIPT_LAUNCHERS for wheel in each.wheels]
    if not locked:
        found.differences.append(f"{SCRIPT_LAUNCHERS} is not locked")
    else:
        found.digests(f"the wheel {locked[0].name}", listed.sha256, locked[0].sha256)


def _compare_launcher(
    found: Comparison, contents: Contents, bill: Mapping[str, Recorded], lock: Lock, own: OwnLauncher
) -> None:
    listed = bill.get("launcher/launcher")
    there = _compiled_launcher(contents)
    if listed is not None and listed.sha256 != there:
        found.differences.append("the bill of materials lists another launcher than is there")
    source = None if listed is None else listed.properties.get(SOURCE)
    found.digests("the launcher's source", source, lock.launcher.source)
    locked = lock.launcher.sha256(find_platform(contents.manifest.scie.lift.platform).launcher)
    if locked is not None:
        found.digests("the launcher", there, locked)
    elif own.source != lock.launcher.source:
        found.unknown.append("the launcher: this czscie has another source of it than is locked")
    elif own.sha256 is None:
        found.unknown.append("the launcher: it cannot be compiled here, to be compared with")
    else:
        found.digests("the launcher", there, own.sha256)


def _compiled_launcher(contents: Contents) -> str:
    """The digest of the launcher as it was compiled: one for Windows has resources besides."""
    jump = contents.manifest.scie.jump
    with contents.path.open("rb") as file:
        image = file.read(jump.size)
    return hashlib.sha256(pe.compiled(image)).hexdigest() if pe.is_pe(image) else jump.hash


def _wheels(contents: Contents) -> Iterator[str]:
    """The names of the wheels that the payload has entries of."""
    for part in contents.parts:
        for entry in part.plan.entries if part.part.name == PAYLOAD else ():
            if match := _WHEEL_ENTRY.fullmatch(entry.name):
                yield match["name"]


def _provisions(lock: Lock, platform: str) -> list[LockedPackage]:
    """What of `lift.bare`'s wheels goes into payloads for `platform`."""
    names = Bare(certificates=True, tzdata=True).projects(find_platform(platform))
    return [each for each in lock.provisions if each.name in names]


def _project(wheel: str) -> str:
    return str(canonicalize_name(wheel.partition("-")[0]))


def _sha256(bill: Mapping[str, Recorded], reference: str) -> str | None:
    recorded = bill.get(reference)
    return None if recorded is None else recorded.sha256


def _below(reference: str, part: str) -> str:
    """The rest of a reference to a component of `part`; empty for others."""
    head, _, rest = reference.partition("/")
    return rest if head == part else ""

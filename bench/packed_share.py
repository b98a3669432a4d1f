"""How much of popular distributions is packed: `python -m bench.packed_share` prints a line each, and why.

The wheels are those of `popular.txt`, fetched by pip into the user's cache, or those in a directory that is
given. Each is looked at alone, as a dependency of an application that has no readers of modules.
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from czscie.container.content import OnDisk
from czscie.container.untrusted_zip import Shelf, files_in_zip
from czscie.implementation import CPYTHON, Implementation
from czscie.pack.compiler import Compiler
from czscie.pack.unit import Unit, units_of
from czscie.pbs.distribution import Layout
from czscie.platforms import find_platform
from czscie.wheel.venv_layout import venv_items
from czscie.wheel.wheel import Wheel

_POPULAR = Path(__file__).with_name("popular.txt")
_LAYOUT = Layout(Implementation(CPYTHON, "3.13.0"), "bin/python3.13", "lib/python3.13")
_SITE_PACKAGES = f"{_LAYOUT.stdlib}/site-packages"
_MANYLINUX = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


@dataclass(frozen=True, slots=True)
class Share:
    """Of a distribution's `modules` those that are `packed`; `reason` is why the others are not."""

    project: str
    modules: int
    packed: int
    reason: str


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.packed_share", description=__doc__)
    parser.add_argument("wheels", nargs="?", type=Path, help="a directory of wheels; default: popular.txt's")
    wheels = parser.parse_args().wheels or _download()
    found = [_share(unit) for path in sorted(wheels.glob("*.whl")) for unit in _units(path) if unit.modules]
    print("\n".join(_table(found)))


def _download() -> Path:
    directory = platformdirs.user_cache_path("czscie-bench") / "popular"
    platforms = [argument for tag in _MANYLINUX for argument in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", _LAYOUT.implementation.minor_version, *platforms, "-d", str(directory)]
    subprocess.run([*command, "-r", str(_POPULAR)], check=True)
    return directory


def _units(path: Path) -> list[Unit]:
    archive = OnDisk(path)
    members = files_in_zip(functools.partial(Shelf().open, archive, path.name), path.name)
    wheel = Wheel.read(path.name, members, spread=False, label="popular.txt", archive=archive)
    placed = venv_items([wheel], (), _LAYOUT, find_platform("linux-x86_64")).placements
    prefix = f"{_SITE_PACKAGES}/"
    return units_of(
        {each.destination.removeprefix(prefix): each for each in placed if prefix in each.destination}
    )


@functools.cache
def _compiler() -> Compiler:
    compiler = Compiler.probe(Path(sys.executable), sys.version)
    assert compiler is not None
    return compiler


def _share(unit: Unit) -> Share:
    staying, reason = unit.staying((), lambda each: each.signs(_compiler().scan))
    assert isinstance(unit.origin, Wheel)
    modules = len(unit.modules)
    return Share(unit.origin.project, modules, modules - len(staying), reason)


def _table(found: Sequence[Share]) -> Iterator[str]:
    yield f"{'distribution':40} {'modules':>8} {'packed':>8}  what keeps the rest"
    for share in found:
        yield f"{share.project:40} {share.modules:8,} {share.packed:8,}  {share.reason}"
    packed, modules = sum(share.packed for share in found), sum(share.modules for share in found)
    whole = sum(share.packed == share.modules for share in found)
    summary = f"{len(found)} distributions, {whole} packed whole"
    yield f"{summary:40} {modules:8,} {packed:8,}  {packed / modules:.0%}"
    yield ""
    yield from _reasons(found)


def _reasons(found: Iterable[Share]) -> Iterator[str]:
    """The modules that each kind of reason keeps."""
    kept: Counter[str] = Counter()
    for share in found:
        if share.reason:
            kept[share.reason.partition(" ")[2]] += share.modules - share.packed
    for reason, modules in kept.most_common():
        yield f"{modules:8,} modules: {reason}"


if __name__ == "__main__":
    main()

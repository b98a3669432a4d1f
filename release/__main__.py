"""Makes the files of a release: `python -m release -o dist` (docs/contributing/release.md)."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from czscie import api
from czscie.errors import Code, CzscieError
from czscie.scie.inspect import read_scie
from release.artifact import EXECUTABLE, Artifact, Release
from release.distributions import build_distributions, compile_programs
from release.executables import build_executables, build_image, copy_manifest
from release.installers import write_installers

CHECKOUT = Path(__file__).resolve().parent.parent

_URL = re.compile(r"https?://[\w./~%+:-]+")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options(arguments)
    try:
        if not options.allow_dirty:
            check_committed(CHECKOUT)
        check_url(options.url)
        release = make_release(options.output, options.url.rstrip("/"), options.platform)
    except CzscieError as error:
        print(error, file=sys.stderr)
        return 1
    for artifact in release.artifacts:
        print(f"{options.output / artifact.name}  {artifact.sha256}")
    return 0


def make_release(out: Path, url: str, platforms: Sequence[str]) -> Release:
    """Writes all files into `out`, executables for `platforms` or for all of the manifest.

    Raises CzscieError.
    """
    made = build_distributions(CHECKOUT, compile_programs(), out)
    copy_manifest(CHECKOUT / "lift.toml", out)
    options = ["--release", *(f"--platform={platform}" for platform in platforms)]
    executables = describe_executables(build_executables(out, options))
    others = [
        Artifact.of(made.sdist, "sdist"),
        Artifact.of(made.wheel, "wheel"),
        Artifact.of(out / "lift.toml", "manifest"),
        Artifact.of(out / "lift.lock", "lock"),
    ]
    release = Release.of([*executables, *others])
    for_linux = [f"--platform={name}" for name in release.executables() if name.startswith("linux-")]
    if for_linux:
        release = release.with_more([Artifact.of(build_image(out, for_linux), "image")])
    release = release.with_more(write_installers(release, url, out))
    release.write(out)
    return release


def describe_executables(paths: Iterable[Path]) -> list[Artifact]:
    """The executables, and their bills of materials, which are written beside them."""
    artifacts = []
    for path in paths:
        platform = read_scie(path).manifest.scie.lift.platform
        bill = path.with_name(f"{path.name}.cdx.json")
        bill.write_bytes(api.sbom(path))
        artifacts += [Artifact.of(path, EXECUTABLE, platform), Artifact.of(bill, "sbom", platform)]
    return artifacts


def check_committed(checkout: Path) -> None:
    """Raises CzscieError when the checkout differs from its commit: nobody else could make the same bytes."""
    done = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, text=True)
    if done.returncode:
        raise CzscieError(
            f"cannot tell whether {checkout} is committed",
            code=Code.PROGRAM_FAILED,
            why=done.stderr.splitlines(),
            hint="--allow-dirty releases it as it is",
        )
    if done.stdout:
        raise CzscieError(
            f"{checkout} has changes that are not committed",
            code=Code.PROGRAM_FAILED,
            why=done.stdout.splitlines()[:10],
            hint="commit them, or release them with --allow-dirty",
        )


def check_url(url: str) -> None:
    """Raises CzscieError when installers cannot contain `url`."""
    if url and not _URL.fullmatch(url):
        raise CzscieError(
            f"--url is {url!r}, which is not the URL of a directory of files", code=Code.OPTION_INVALID
        )


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m release", description="Make the files of a release.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("dist"), help="The directory to write to. Default: dist."
    )
    parser.add_argument(
        "--url", default="", help="The URL of the directory that the files will be downloaded from."
    )
    parser.add_argument(
        "--platform",
        action="append",
        default=[],
        help="Build the executable for this platform only. Repeatable.",
    )
    parser.add_argument(
        "--allow-dirty", action="store_true", help="Release files that are not committed, too."
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

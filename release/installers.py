"""Scripts and manifests of package managers that install an executable of a release."""

from __future__ import annotations

import json
from pathlib import Path

from release.artifact import Artifact, Release

_TEMPLATES = Path(__file__).parent / "templates"

#: What Homebrew and Scoop call platforms.
_HOMEBREW = {
    "macos-aarch64": ("macos", "arm"),
    "macos-x86_64": ("macos", "intel"),
    "linux-aarch64": ("linux", "arm"),
    "linux-x86_64": ("linux", "intel"),
}
_SCOOP = {"windows-x86_64": "64bit", "windows-aarch64": "arm64"}


def write_installers(release: Release, url: str, out: Path) -> list[Artifact]:
    """Writes the installers of `release` into `out`.

    `url` is that of the directory with its files; if it is empty, the scripts take it from their environment,
    and package managers get no manifest.
    """
    executables = release.executables()
    on_windows = {platform: each for platform, each in executables.items() if platform in _SCOOP}
    elsewhere = {platform: each for platform, each in executables.items() if platform not in _SCOOP}
    texts: dict[str, str] = {}
    if elsewhere:
        texts["install.sh"] = _filled(
            "install.sh",
            version=release.version,
            url=url,
            platforms=", ".join(elsewhere),
            digests="\n".join(f"    {name}) echo {each.sha256} ;;" for name, each in elsewhere.items()),
        )
    if on_windows:
        texts["install.ps1"] = _filled(
            "install.ps1",
            version=release.version,
            url=url,
            digests="\n".join(f"    '{name}' = '{each.sha256}'" for name, each in on_windows.items()),
        )
    if url and elsewhere:
        texts["czscie.rb"] = _filled(
            "czscie.rb", version=release.version, downloads=_homebrew(elsewhere, url)
        )
    if url and on_windows:
        texts["czscie.json"] = _scoop(release.version, on_windows, url)
    for name, text in texts.items():
        (out / name).write_bytes(text.encode())
    return [Artifact.of(out / name, "installer") for name in texts]


def _filled(template: str, **values: str) -> str:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", value)
    return text


def _homebrew(executables: dict[str, Artifact], url: str) -> str:
    blocks = []
    for system in ("macos", "linux"):
        lines = [
            f'    on_{processor} do\n      url "{url}/{each.name}"\n      sha256 "{each.sha256}"\n    end'
            for platform, (of, processor) in _HOMEBREW.items()
            if of == system and (each := executables.get(platform))
        ]
        if lines:
            blocks.append("\n".join([f"  on_{system} do", *lines, "  end"]))
    return "\n\n".join(blocks)


def _scoop(version: str, executables: dict[str, Artifact], url: str) -> str:
    document = {
        "version": version,
        "description": "A Python program as one native executable per platform",
        "license": "Apache-2.0",
        "architecture": {
            _SCOOP[platform]: {"url": f"{url}/{each.name}#/czscie.exe", "hash": each.sha256}
            for platform, each in executables.items()
        },
        "bin": "czscie.exe",
    }
    return json.dumps(document, indent=4) + "\n"

"""The real `pex --scie` with `czscie-science` as its science: no word of the command changes but that."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.pbs.mirror import OFFICIAL
from e2e.build import Builder
from e2e.mirror.release import TAG
from e2e.run import start

#: What pex calls: the console script, or this where it is not installed.
SCIENCE = '#!/bin/sh\nexec "{python}" -c "from czscie.science.cli import main; main()" "$@"\n'

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make(builder: Builder, interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Runs `pex` with these arguments and returns the scie that it says it wrote."""
    directory = tmp_path_factory.mktemp("science")
    science = directory / "science"
    science.write_text(SCIENCE.format(python=sys.executable))
    science.chmod(0o755)
    source = Path(__file__).parent.parent / "src"

    def pex(name: str, *arguments: str, style: str = "eager") -> Path:
        out = directory / name
        out.mkdir()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pex", *arguments),
                *("--python", str(interpreters["3.13"]), "-o", str(out / "app.pex")),
                *("--scie", style, "--scie-science-binary", str(science)),
                *("--scie-pbs-release", TAG, "--scie-python-version", "3.13", "--scie-pbs-stripped"),
            ],
            cwd=out,
            env={
                **os.environ,
                "PYTHONPATH": str(source),
                "CZSCIE_PBS_URL": builder.mirror_url,
                "CZSCIE_PBS_DIGESTS": "none",
                "CZSCIE_CACHE": str(builder.cache),
            },
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr
        (out / "app.pex").unlink(missing_ok=True)
        assert not list(out.glob("*.lock"))
        return out / "app"

    return pex


def said(scie: Path, *arguments: str, base: Path, **environment: str) -> str:
    done = start(scie, *arguments, base=base, environment={"PATH": "/usr/bin:/bin", **environment})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("venv", [(), ("--venv",)], ids=["zipapp", "venv"])
def test_a_scie_of_pex_starts_its_payload_without_a_binding(
    make: Make, tmp_path: Path, venv: tuple[str, ...]
) -> None:
    scie = make(f"cow-{len(venv)}", "cowsay==6.1", "-c", "cowsay", *venv)
    for _ in range(2):
        assert "| moo |" in said(scie, "-t", "moo", base=tmp_path / "base")
    assert {path.name for path in (tmp_path / "base").iterdir()} >= {"apps", "interpreters"}
    assert not (tmp_path / "base" / "bindings").exists()
    # What the pex would keep in its root is nowhere: nothing is lost when it goes.
    shutil.rmtree(tmp_path / "base")
    assert "| moo |" in said(scie, "-t", "moo", base=tmp_path / "base")


def test_a_lazy_scie_of_pex_fetches_its_interpreter(make: Make, builder: Builder, tmp_path: Path) -> None:
    scie = make("cow-lazy", "cowsay==6.1", "-c", "cowsay", style="lazy")
    assert scie.stat().st_size < 3_000_000
    base = tmp_path / "base"
    [(name, url)] = json.loads(said(scie, base=base, SCIE="inspect"))["ptex"].items()
    assert url.startswith(f"{OFFICIAL}/{TAG}/cpython-3.13.")
    urls = tmp_path / "urls.json"
    urls.write_text(json.dumps({"ptex": {name: url.replace(OFFICIAL, builder.mirror_url)}}))
    assert "| moo |" in said(scie, "-t", "moo", base=base, PEX_BOOTSTRAP_URLS=str(urls))
    # Once it is filled, it needs nothing of them.
    urls.unlink()
    urls.write_text('{"ptex": {}}')
    assert "| moo |" in said(scie, "-t", "moo", base=base, PEX_BOOTSTRAP_URLS=str(urls))
    assert not list((base / "downloads").iterdir())


def test_the_environment_chooses_another_start_as_in_the_pex(make: Make, tmp_path: Path) -> None:
    scie = make("passthrough", "cowsay==6.1", "-m", "cowsay")
    python = said(scie, "-c", "print(1 + 1)", base=tmp_path / "base", PEX_INTERPRETER="1")
    assert python == "2\n"
    assert "| moo |" in said(scie, "-t", "moo", base=tmp_path / "base", PEX_SCRIPT="cowsay")


@pytest.mark.parametrize("venv", [(), ("--venv",)], ids=["zipapp", "venv"])
def test_a_busybox_has_a_command_for_each_entry_point(
    make: Make, tmp_path: Path, venv: tuple[str, ...]
) -> None:
    scie = make(f"busybox-{len(venv)}", "cowsay==6.1", *venv, "--scie-busybox", "@,where=platform:platform")
    assert "| moo |" in said(scie, "cowsay", "-t", "moo", base=tmp_path / "base")
    link = tmp_path / "cowsay"
    link.symlink_to(scie)
    assert "| moo |" in said(link, "-t", "moo", base=tmp_path / "base")
    assert start(scie, base=tmp_path / "base").returncode == 1


def test_a_desktop_entry_starts_the_executable(make: Make, tmp_path: Path) -> None:
    scie = make("desktop", "cowsay==6.1", "-c", "cowsay", "--scie-desktop-file")
    settings = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PEX_DESKTOP_INSTALL": "1"}
    assert "| moo |" in said(scie, "-t", "moo", base=tmp_path / "base", **settings)
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(tmp_path / "applications" / "app.desktop")
    [program] = shlex.split(entry["Desktop Entry"]["Exec"])
    assert "| moo |" in said(Path(program), "-t", "moo", base=tmp_path / "base", **settings)


def test_a_checksum_file_and_a_name_with_the_platform(make: Make) -> None:
    app = make(
        "named",
        "cowsay==6.1",
        "-c",
        "cowsay",
        "--scie-name-style",
        "platform-file-suffix",
        "--scie-hash-alg",
        "sha256",
    )
    scie = app.with_name("app-linux-x86_64")
    digest = hashlib.sha256(scie.read_bytes()).hexdigest()
    assert app.with_name("app-linux-x86_64.sha256").read_text() == f"{digest} *app-linux-x86_64"

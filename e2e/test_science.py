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
from czscie.scie.inspect import read_scie
from e2e.build import Builder
from e2e.mirror.release import TAG
from e2e.musl import musl_mirror
from e2e.run import start
from e2e.server import serve

#: What pex calls where the console script is not installed.
SCIENCE = '#!/bin/sh\nexec "{python}" -c "from czscie.science.cli import main; main()" "$@"\n'

Make = Callable[..., Path]


def put_science(path: Path) -> None:
    """A copy of the console script: it starts its own Python, wherever it lies."""
    script = Path(sys.executable).with_name("czscie-science")
    if script.exists():
        shutil.copy(script, path)
    else:
        path.write_text(SCIENCE.format(python=sys.executable))
        path.chmod(0o755)


@pytest.fixture(scope="module")
def make(builder: Builder, interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Runs `pex` with these arguments and returns the scie that it says it wrote. The PEX is beside it.

    With `on_path`, pex finds `science` on PATH by itself. It keeps a copy of that script in its root for
    good, and the script names the Python of this checkout: such a pex has a root of its own.
    """
    directory = tmp_path_factory.mktemp("science")
    (directory / "bin").mkdir()
    science = directory / "bin" / "science"
    put_science(science)
    source = Path(__file__).parent.parent / "src"

    def pex(
        name: str,
        *arguments: str,
        style: str = "eager",
        output: str = "app.pex",
        on_path: bool = False,
        **variables: str,
    ) -> Path:
        out = directory / name
        out.mkdir()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pex", *arguments),
                *("--python", str(interpreters["3.13"]), "-o", str(out / output), "--scie", style),
                *(() if on_path else ("--scie-science-binary", str(science))),
                *("--scie-pbs-release", TAG, "--scie-python-version", "3.13", "--scie-pbs-stripped"),
            ],
            cwd=out,
            env={
                **os.environ,
                **builder.settings(),
                "PYTHONPATH": str(source),
                "PATH": f"{science.parent}:{os.environ['PATH']}",
                **({"PEX_ROOT": str(directory / "root")} if on_path else {}),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr
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


def test_a_scie_of_pex_comes_from_a_mirror_that_science_wrote(
    make: Make, builder: Builder, tmp_path: Path
) -> None:
    science = [sys.executable, "-c", "from czscie.science.cli import main; main()", "-q"]
    asked = ("--version", "3.13", "--release", TAG)
    subprocess.run(
        [*science, "download", "provider", "PythonBuildStandalone", *asked, str(tmp_path / "mirror")],
        env={**os.environ, **builder.settings(), "PYTHONPATH": str(Path(__file__).parent.parent / "src")},
        check=True,
    )
    for index in ("latest-release.json", "SHA256SUMS"):  # those that science does not write
        [path] = (tmp_path / "mirror").rglob(index)
        path.unlink()
    with serve(tmp_path / "mirror") as server:
        assets = ("--scie-assets-base-url", server.url)
        scie = make("cow-mirror", "cowsay==6.1", "-c", "cowsay", *assets, CZSCIE_PBS_URL="file:///nowhere")
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


SHOW = """\
import os
import sys
import cowsay
print(sys.argv[1:], os.environ.get("NAME"), cowsay.__name__)
if "RESOURCE" in os.environ:
    print(open(os.environ["RESOURCE"]).read())
"""

#: What pex is asked for, the arguments of the program, and what it prints.
STYLES = {
    "custom-entry-point": (
        (
            *("--scie-exe", "{scie.bindings.configure:PYTHON}"),
            *("--scie-args", "{scie.bindings.configure:PEX} --first"),
            *("--scie-env", "NAME=of-the-scie"),
        ),
        ("second",),
        "['--first', 'second'] of-the-scie cowsay\n",
    ),
    "custom-entry-point-of-a-venv": (
        (
            "--venv",
            *("--scie-exe", "{scie.bindings.configure:VENV_BIN_DIR_PLUS_SEP}python"),
            *("--scie-args=-m show --first", "--scie-env", "NAME={scie.env.NAME=none}"),
        ),
        ("second",),
        "['--first', 'second'] none cowsay\n",
    ),
    "dotenv": (("-m", "show", "--scie-load-dotenv"), ("one",), "['one'] of-the-file cowsay\n"),
    "bound-resource": (
        (
            *("--scie-bind-resource-path", "RESOURCE=show_data/text.txt"),
            *("--scie-exe", "{scie.bindings.configure:PYTHON}"),
            *("--scie-args", "{scie.bindings.configure:PEX}"),
        ),
        ("one",),
        "['one'] None cowsay\na resource\n",
    ),
    "hidden-entry-point": (
        ("-m", "show", "--no-scie-pex-entrypoint-env-passthrough"),
        ("one",),
        "['one'] None cowsay\n",
    ),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program to put into a PEX, with a file that is no module."""
    directory = tmp_path_factory.mktemp("sources")
    (directory / "show.py").write_text(SHOW)
    (directory / "show_data").mkdir()
    (directory / "show_data" / "text.txt").write_text("a resource")
    return directory


@pytest.mark.parametrize("name", STYLES)
def test_a_style_of_pex_prints_the_same_again_and_without_its_root(
    make: Make, sources: Path, tmp_path: Path, name: str
) -> None:
    options, arguments, expected = STYLES[name]
    entry = () if "-m" in options else ("-m", "show")
    scie = make(name, "cowsay==6.1", "-D", str(sources), *entry, *options)
    (tmp_path / ".env").write_text("NAME=of-the-file\n")
    base, cache = tmp_path / "base", tmp_path / "cache"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(cache)}

    def run() -> str:
        done = start(scie, *arguments, base=base, directory=tmp_path, environment=environment)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert [run(), run()] == [expected] * 2
    # Bindings that pex's lifts run keep a PEX_ROOT there, the payloads of czscie nothing.
    assert (cache / "pex").exists() is (base / "boot").exists()
    shutil.rmtree(cache, ignore_errors=True)
    assert [run(), run()] == [expected] * 2


def test_a_scie_alone_is_what_the_pex_is(
    make: Make, sources: Path, interpreters: dict[str, Path], tmp_path: Path
) -> None:
    project = ("cowsay==6.1", "-D", str(sources), "-m", "show", "--inject-env", "NAME=injected")
    both = make("with-pex", *project, "--inject-args", "first")
    alone = make("alone", *project, "--inject-args", "first", "--scie-only", output="app", on_path=True)
    assert sorted(path.name for path in alone.parent.iterdir()) == ["app"]
    pex = subprocess.run(
        [interpreters["3.13"], both.with_name("app.pex"), "second"],
        env={"PATH": "/usr/bin:/bin", "PEX_ROOT": str(tmp_path / "root")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert pex.stdout == "['first', 'second'] injected cowsay\n"
    for scie in (both, alone):
        for _ in range(2):
            assert said(scie, "second", base=tmp_path / "base") == pex.stdout


def test_a_desktop_entry_has_the_icon(make: Make, tmp_path: Path) -> None:
    icon = tmp_path / "icon.png"
    icon.write_bytes(b"an icon")
    scie = make("icon", "cowsay==6.1", "-c", "cowsay", "--scie-desktop-file", "--scie-icon", str(icon))
    settings = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PEX_DESKTOP_INSTALL": "1"}
    for _ in range(2):
        assert "| moo |" in said(scie, "-t", "moo", base=tmp_path / "base", **settings)
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(tmp_path / "applications" / "app.desktop")
    assert Path(entry["Desktop Entry"]["Icon"]).read_bytes() == b"an icon"


def test_a_scie_for_musl_has_a_cpython_for_musl(make: Make) -> None:
    with serve(musl_mirror()) as server:
        options = ("--scie-platform", "musl-linux-x86_64")
        app = make("musl", "cowsay==6.1", "-c", "cowsay", *options, CZSCIE_PBS_URL=server.url)
    lift = read_scie(app.with_name("app-musl-linux-x86_64")).manifest.scie.lift
    assert (lift.platform, lift.needs.musl) == ("musl-linux-x86_64", True)
    assert [part.kind for part in lift.files] == ["interpreter", "app"]
    assert "x86_64-unknown-linux-musl" in lift.files[0].description


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

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from building import RELEASE, Project
from czscie import api
from czscie.czex.inject import Compression
from czscie.errors import CzscieError
from czscie.image.build import ImageOptions
from czscie.init.choice import PythonRequest
from czscie.init.program import Program
from czscie.lock.use import LockUse
from czscie.platforms import current_platform
from integration.vendor.test_vendor import add_licences
from libc.factories import mirror
from network.server import MirrorServer

DOCUMENT = Path(__file__).parents[1] / "docs" / "reference" / "api.md"


@pytest.fixture
def lift(project: Project, server: MirrorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest in the working directory, of which images can be made."""
    monkeypatch.chdir(project.directory)
    add_licences(project, server)
    Path("debian.json").write_bytes(msgspec.json.encode(mirror(tmp_path / "debian")))
    libc = '[lift.libc]\nbundle = "always"\npackages = "debian.json"\n'
    project.manifest(payload='lock = "pylock.toml"', rest=libc)
    return Path("lift.toml")


def test_no_function_prints_anything(lift: Path, capfd: pytest.CaptureFixture[str]) -> None:
    executable, output = Path("dist/moo"), Path("dist")
    first = PythonRequest("3.13.9", RELEASE)
    calls: dict[str, Callable[[], object]] = {
        "init": lambda: api.init(Program(Path("moo.pex"), python=first), Path("first.toml")),
        "check_lock": lambda: api.check_lock(lift),
        "lock": lambda: api.lock(lift),
        "plan": lambda: api.plan(lift, output),
        "build": lambda: api.build(lift, output),
        "image": lambda: api.image(lift, ImageOptions(Path("moo.tar"), None)),
        "vendor": lambda: api.vendor(lift, Path("parcel")),
        "verify_vendor": lambda: api.verify_vendor(lift, Path("parcel")),
        "inspect": lambda: api.inspect(executable),
        "inspect_page": lambda: api.inspect_page(executable, Path("moo.html"), older=executable),
        "sbom": lambda: api.sbom(executable),
        "verify": lambda: api.verify(executable, lock=Path("lift.lock"), manifest=lift),
        "inject": lambda: api.inject(
            Path("moo.pex"), platforms=[current_platform()], compression=Compression(3)
        ),
        "eject": lambda: api.eject(Path("moo.czex"), Path("again.pex")),
        "executable": lambda: api.executable(lift),
    }
    assert calls.keys() == set(api.__all__)
    results = {}
    for name, call in calls.items():
        results[name] = call()
        assert capfd.readouterr() == ("", ""), name
    assert results["check_lock"] and not api.check_lock(lift)
    assert results["lock"] == Path("lift.lock")
    assert results["verify_vendor"] == ()
    for written in (
        "first.toml",
        "dist/moo",
        "moo.html",
        "moo.tar",
        "parcel/SHA256SUMS",
        "moo.czex",
        "again.pex",
    ):
        assert Path(written).is_file(), written


def test_every_function_is_documented_and_typed() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in api.__all__:
        function = getattr(api, name)
        assert function.__doc__
        assert f"| `{name}(" in text
        signature = inspect.signature(function)
        assert all(each.annotation is not each.empty for each in signature.parameters.values())
        assert len(signature.parameters) <= 6
        assert signature.return_annotation is not signature.empty


def test_the_examples_of_the_document_run(
    lift: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    caplog.set_level(logging.INFO)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, DOCUMENT.name, "exec"), names)
    told = capsys.readouterr()
    [contents] = api.build(lift, Path("dist"))
    assert told.out == f"dist/moo {contents.size} {contents.sha256}\n"
    assert told.err == ""
    assert any(line.startswith("Wrote dist/moo (") for line in caplog.messages)


def test_what_the_system_refuses_is_an_error_of_czscie(tmp_path: Path) -> None:
    (tmp_path / "app.pex").mkdir()
    with pytest.raises(CzscieError):
        api.sbom(tmp_path / "missing")
    with pytest.raises(CzscieError):
        api.build(tmp_path / "lift.toml", tmp_path / "dist", use=LockUse.FROZEN)


def test_an_error_of_the_system_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("czscie.scie.inspect.read_sbom", refuse)
    with pytest.raises(CzscieError) as caught:
        api.sbom(Path("moo"))
    assert caught.value.what == "moo: Permission denied"

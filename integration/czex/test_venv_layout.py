from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from czex.factories import contents
from czscie.czex.pex import Pex
from czscie.czex.resolve import resolve
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Layout
from czscie.platforms import current_platform
from czscie.wheel.record import parse_record
from czscie.wheel.venv_layout import venv_items
from integration.czex.conftest import MakeMoo, RunPex
from wheel.test_venv_layout import write

HOST = Layout(
    Implementation(CPYTHON, ".".join(map(str, sys.version_info[:3]))),
    "bin/python",
    f"lib/python{sys.version_info[0]}.{sys.version_info[1]}",
)


#: What pex puts into a virtual environment of its own, and installers' notes that czscie leaves out.
PEXS_OWN = re.compile(
    r"""(?x)
    (?:.*/)?(?:INSTALLER|REQUESTED|original-whl-info\.json|PEX_EXTRA_SYS_PATH\.\w+)
    |bin/(?:python[\d.]*|[Aa]ctivate.*)
    |__main__\.py|PEX-INFO|pex|pex-repl|pyvenv\.cfg|\.gitignore|\.pex-venv-scope
    """
)


def test_the_environment_is_the_one_pex_makes(make_moo: MakeMoo, run_pex: RunPex, tmp_path: Path) -> None:
    run_pex(make_moo(), "venv", tmp_path / "theirs", module="pex.tools")
    with Pex.open(make_moo()) as pex:
        resolution = resolve(pex, current_platform(), HOST.implementation)
        items = venv_items(resolution.wheels, pex.sources, HOST, current_platform())
        assert not items.collisions
        write(items, tmp_path / "ours")
    theirs, ours = tree(tmp_path / "theirs"), tree(tmp_path / "ours")
    assert ours.keys() == {path for path in theirs if not PEXS_OWN.fullmatch(path)}
    for path, file in ours.items():
        assert os.access(file, os.X_OK) == os.access(theirs[path], os.X_OK), path
        if path.endswith("/RECORD"):
            assert recorded(file) == recorded(theirs[path])
        elif not path.startswith("bin/"):
            assert file.read_bytes() == theirs[path].read_bytes()


def tree(root: Path) -> dict[str, Path]:
    return {
        path.relative_to(root).as_posix(): path
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def recorded(file: Path) -> set[str]:
    return {path for path in parse_record(file.read_text()) if not PEXS_OWN.fullmatch(path)}


def test_the_environment_of_the_real_pex_runs(make_moo: MakeMoo, tmp_path: Path) -> None:
    with Pex.open(make_moo()) as pex:
        resolution = resolve(pex, current_platform(), HOST.implementation)
        items = venv_items(resolution.wheels, pex.sources, HOST, current_platform())
        write(items, tmp_path)
        assert "herd/__init__.py" in contents(pex.sources)
    environment = {"PYTHONPATH": str(tmp_path / HOST.stdlib / "site-packages")}
    for program, code, output in [
        ("moo", 7, "moo\n"),
        ("moo-window", 0, ""),
        ("moo-script", 0, "möö\n"),
        ("moo-env", 0, "env\n"),
        ("moo.sh", 0, "moo\n"),
    ]:
        done = subprocess.run([tmp_path / "bin" / program], env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stdout.decode(), done.stderr) == (code, output, b"")

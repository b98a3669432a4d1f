from __future__ import annotations

import subprocess
from pathlib import Path

from czscie.czex.prefix import czex_prefix
from integration.czex.conftest import MakeMoo


def test_a_directory_has_the_first_line_of_its_main(make_moo: MakeMoo) -> None:
    prefix = czex_prefix(make_moo("--layout", "loose"))
    assert prefix.startswith(b"#!")
    assert prefix.count(b"\n") == 1


def test_a_script_of_pex_forgets_what_pex_installed(make_moo: MakeMoo, tmp_path: Path) -> None:
    script = czex_prefix(make_moo("--sh-boot", "--venv"))
    assert b"INSTALLED_PEX" not in script
    assert b"PEX_ROOT" not in script
    path = tmp_path / "app"
    path.write_bytes(script)
    # It is shell, and starts the first Python that it finds with itself.
    (tmp_path / "bin").mkdir()
    names = [name for name in script.decode().split('"') if name.startswith("python3.")]
    (tmp_path / "bin" / names[0]).write_text('#!/bin/sh\necho "started $@"\n')
    (tmp_path / "bin" / names[0]).chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    done = subprocess.run(["sh", path, "a b"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"{path} a b\n")

"""What prints and names the schema, and the engine of editors for TOML on it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from typer.testing import CliRunner

from czscie.cli import app
from czscie.schema.schema import json_schema, toml_schema

EXAMPLE = Path(__file__).parents[2] / "lift.toml.example"
TAPLO = shutil.which("taplo", path=sysconfig.get_path("scripts"))


@pytest.mark.parametrize(("arguments", "schema"), [([], toml_schema), (["json"], json_schema)])
def test_the_command_prints_a_schema(arguments: list[str], schema: object) -> None:
    printed = CliRunner().invoke(app, ["schema", *arguments])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == schema()  # type: ignore[operator]


@pytest.mark.skipif(TAPLO is None, reason="needs taplo, which has no wheel for this platform")
@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", ""),
        ('name = "cowsay"', "name = 6", 'is not of type "string"'),
        ('flavor = "install_only_stripped"', 'flavor = "install"', '"install" does not match'),
        ('release = "20261021"', 'releese = "20261021"', "'releese' was unexpected"),
        ('pex = "cowsay.pex"', 'pex = "cowsay.pex"\nproject = "."', "more than one of the schemas"),
    ],
)
def test_taplo_reads_the_schema_that_a_manifest_names(
    before: str, after: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "lift.schema.json").write_text(json.dumps(toml_schema()))
    text = EXAMPLE.read_text(encoding="utf-8").replace(before, after, 1)
    manifest = tmp_path / "lift.toml"
    manifest.write_text(f"#:schema ./lift.schema.json\n{text}", encoding="utf-8")
    done = subprocess.run(
        [str(TAPLO), "lint", "--no-auto-config", "--colors", "never", manifest.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode == 0) == (not told)
    assert told in done.stderr

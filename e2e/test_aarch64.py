"""A scie built here for linux-aarch64 runs there: on qemu, in a bare root with Debian's glibc for aarch64."""

from __future__ import annotations

from pathlib import Path

import pytest

from czscie.elf import Elf
from e2e import foreign
from e2e.bare import BareRoot
from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import COWSAY, TOOLBOX
from e2e.test_real_applications import APPLICATIONS, Application

EM_AARCH64 = 183

PURE = tuple(application for application in APPLICATIONS if application.recipe in (COWSAY, TOOLBOX))


@pytest.fixture
def root(tmp_path: Path) -> BareRoot:
    if reason := foreign.why_not():
        pytest.skip(reason)
    return BareRoot.create(tmp_path / "root", "aarch64", foreign.system(), foreign.enter())


@pytest.mark.parametrize("application", PURE, ids=lambda application: application.recipe.name)
def test_a_cross_built_scie_runs_under_emulation(
    build_scie: BuildScie, root: BareRoot, application: Application
) -> None:
    executable = build_scie(Scie(application.recipe, "3.11", "linux-aarch64"))
    program = root.install(executable)
    for start in ("cold", "warm"):
        done = root.run(program, *application.arguments)
        assert done.returncode == 0, f"{start}: exit code {done.returncode}\n{done.stderr}"
        application.check(done.stdout)


def test_the_launcher_is_a_static_program_for_aarch64(build_scie: BuildScie) -> None:
    executable = build_scie(Scie(COWSAY, "3.11", "linux-aarch64"))
    launcher = Elf.parse(executable.read_bytes(), str(executable))
    assert launcher.machine == EM_AARCH64
    assert launcher.interpreter is None
    assert launcher.needed == ()

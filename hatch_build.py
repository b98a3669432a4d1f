"""Compiles launchers while czscie is installed or its wheel is built.

The host's own launcher always; those of all platforms, and the fetchers, when CZSCIE_LAUNCHERS=all, as for a
release.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(_ROOT / "src"))

from czscie.errors import Code, CzscieError  # noqa: E402
from czscie.launchers import build  # noqa: E402
from czscie.network.network import Network  # noqa: E402


class LaunchersHook(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling's hook: leaves the compiled launchers in src/czscie/launchers."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        directory = _ROOT / "src" / "czscie" / "launchers"
        with tempfile.TemporaryDirectory(prefix="czscie-launchers-") as cache:
            for program in self._wanted():
                if build.find_launcher(program, directory) is None:
                    self._compile(program, directory, Path(cache))
        self._remove_old(directory)
        build.write_digest_table(directory)

    def _wanted(self) -> tuple[str, ...]:
        if os.environ.get("CZSCIE_LAUNCHERS") == "all":
            return build.all_programs()
        from czscie.platforms import current_launcher

        return (current_launcher(),)

    def _compile(self, program: str, directory: Path, cache: Path) -> None:
        self.app.display_info(f"compiling the launcher for {program}")
        try:
            if importlib.util.find_spec("ziglang") is None:
                raise CzscieError(
                    f"the source of czscie has no launcher for {program}",
                    code=Code.LAUNCHER_UNUSABLE,
                    why="ziglang, which compiles it, is not installed",
                    hint="pip install --only-binary czscie czscie installs a wheel, which has all launchers; "
                    f"pip install ziglang=={build.ZIG_VERSION} installs the compiler",
                )
            build.compile_launcher(program, directory, cache, offline=Network.of().offline)
        except CzscieError as error:
            self.app.abort(str(error))

    def _remove_old(self, directory: Path) -> None:
        programs = build.all_programs()
        names = {build.file_name(program) for program in programs}
        current = names | {f"{name}{build.DIGEST_SUFFIX}" for name in names}
        for path in directory.iterdir():
            if path.name.rsplit("-", 1)[0] in programs and path.name not in current:
                path.unlink()

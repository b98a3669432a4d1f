"""Compiles launchers while czscie is installed or its wheel is built.

The host's own launcher always; those of all platforms, and the fetchers, when CZSCIE_LAUNCHERS=all, as for a
release.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(_ROOT / "src"))

from czscie.errors import CzscieError  # noqa: E402
from czscie.launchers import build  # noqa: E402
from czscie.network.network import Network  # noqa: E402


class LaunchersHook(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling's hook: leaves the compiled launchers in src/czscie/launchers."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        directory = _ROOT / "src" / "czscie" / "launchers"
        offline = Network.of().offline
        for launcher in self._wanted():
            if build.find_launcher(launcher, directory) is None:
                self.app.display_info(f"compiling the launcher for {launcher}")
                with tempfile.TemporaryDirectory(prefix="czscie-launchers-") as cache:
                    try:
                        build.compile_launcher(launcher, directory, Path(cache), offline=offline)
                    except CzscieError as error:
                        self.app.abort(str(error))
        programs = {*build.TARGETS, *map(build.fetcher_of, build.TARGETS)}
        names = {build.file_name(program) for program in programs}
        current = names | {f"{name}{build.DIGEST_SUFFIX}" for name in names}
        for path in directory.iterdir():
            if path.name.rsplit("-", 1)[0] in programs and path.name not in current:
                path.unlink()

    def _wanted(self) -> list[str]:
        if os.environ.get("CZSCIE_LAUNCHERS") == "all":
            return [*build.TARGETS, *map(build.fetcher_of, build.TARGETS)]
        from czscie.platforms import current_launcher

        return [current_launcher()]

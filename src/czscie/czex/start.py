"""The start of an application: the files that make its virtual environment one and run its entry point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from czscie.container.content import Data, File
from czscie.czex.info import PexInfo
from czscie.pbs.distribution import Layout

#: What of Python's own environment would let the host's Python leak in. Harmless switches stay.
HERMETIC_REMOVED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONPLATLIBDIR",
    "PYTHONEXECUTABLE",
    "PYTHON_PRESITE",
    "__PYVENV_LAUNCHER__",
)

#: As in pex: paths that PEX_EXTRA_SYS_PATH names are seen by the application and by its children.
_EXTRA_SYS_PATH = (
    "import os, sys; sys.path.extend(entry for entry in os.environ.get('PEX_EXTRA_SYS_PATH', "
    "os.environ.get('__PEX_EXTRA_SYS_PATH__', '')).split(os.pathsep) if entry)\n"
)


@dataclass(frozen=True, slots=True)
class Start:
    """How the application starts: PEX-INFO, with the entry point that was asked for.

    `certificates` is the path, in the virtual environment, of certifi's certificates: None without
    certifi, and on Windows, where Python asks the system for certificates.
    """

    info: PexInfo
    has_setproctitle: bool
    certificates: str | None = None
    #: More of what `czscie_boot.Application` has, by name.
    more: Mapping[str, object] = field(default_factory=dict)

    def main(self) -> bytes:
        """The virtual environment's `__main__.py`. In a spawned child of multiprocessing it does nothing."""
        info = self.info
        arguments = {
            "entry_point": info.entry_point,
            "script": info.script,
            "inject_python_args": list(info.inject_python_args),
            "inject_args": list(info.inject_args),
            "inject_env": dict(info.inject_env),
            "bind_resource_paths": dict(info.bind_resource_paths),
            "strip_pex_env": info.strip_pex_env,
            "venv_bin_path": info.venv_bin_path,
            "has_setproctitle": self.has_setproctitle,
            **self.more,
        }
        rendered = "".join(f"            {name}={value!r},\n" for name, value in arguments.items())
        if self.certificates is not None:
            rendered += f"            certificates=here + {'/' + self.certificates!r},\n"
        return f"""\
# -*- coding: utf-8 -*-
if __name__ == "__main__":
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    if not sys.path or sys.path[0] != here:
        sys.path.insert(0, here)
    from czscie_boot import Application, boot

    del sys.path[0]
    boot(
        Application(
{rendered}        )
    )
""".encode()


def boot_file() -> File:
    """The module that starts applications."""
    source = resources.files("czscie.czex.bootstrap").joinpath("boot.py").read_bytes()
    return File("czscie_boot.py", Data(source))


def environment_files(start: Start, site_packages: str) -> list[File]:
    """The start's own files, with their paths in the virtual environment."""
    return [
        File("__main__.py", Data(start.main())),
        boot_file(),
        File(f"{site_packages}/PEX_EXTRA_SYS_PATH.pth", Data(_EXTRA_SYS_PATH.encode())),
        File("PEX-INFO", Data(start.info.render())),
    ]


def pyvenv_configuration(layout: Layout, interpreter: str, system_site_packages: bool) -> bytes:
    """The template of pyvenv.cfg (PEP 405); the launcher fills in the base directory.

    `interpreter` is the name of its installation.
    """
    home = f"{{base}}/interpreters/{interpreter}"
    directory, _, _ = layout.python.rpartition("/")
    lines = [
        f"home = {home}/{directory}".rstrip("/"),
        f"include-system-site-packages = {str(system_site_packages).lower()}",
        f"version = {layout.version}",
        f"executable = {home}/{layout.python}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()

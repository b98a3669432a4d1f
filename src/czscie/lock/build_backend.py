"""Builds a wheel from a source with its own build backend (PEP 517), in an environment without secrets.

This runs code from the source; docs/reference/lock.md says when. The backend gets its build requirements as
wheels, and the environment variables that `build_environment` passes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import IO, Any

from czscie.errors import Code, CzscieError
from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes
from czscie.lock.backend_installation import install_backend
from czscie.lock.pex_tool import SOURCE_DATE_EPOCH
from czscie.lock.sdist import read_pyproject
from czscie.trace import traced_command

_LEGACY = {"requires": ["setuptools>=40.8.0"], "build-backend": "setuptools.build_meta:__legacy__"}
#: Runs `setup.py` to say what it requires, which is nothing more unless this is in its sources.
_SETUP_REQUIRES = b"setup_requires"
#: setuptools needs no `wheel` from then on.
_SELF_SUFFICIENT = (70, 1)
_REASON_LINES = 20
#: Bytes of the end of what a backend says that are looked at for them.
_SAID = 64 << 10

#: What a build may need of the environment, by name; docs/reference/lock.md has the same list.
#: The rest may be secrets.
_GENERAL = "PATH HOME USER LOGNAME SHELL TMPDIR TEMP TMP TERM LANG LANGUAGE TZ"
#: Times and versions, which backends write into wheels.
_WRITTEN = """
SOURCE_DATE_EPOCH PBR_VERSION PDM_BUILD_SCM_VERSION POETRY_DYNAMIC_VERSIONING_BYPASS
UV_DYNAMIC_VERSIONING_BYPASS
"""
_COMPILERS = """
CC CXX CPP LD AR AS NM RANLIB STRIP OBJCOPY FC F77 F90 NVCC CFLAGS CXXFLAGS CPPFLAGS LDFLAGS FFLAGS LDSHARED
ARFLAGS LIBS ARCHFLAGS CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH LD_LIBRARY_PATH COMPILER_PATH
CCACHE_DIR SCCACHE_DIR MAKE MAKEFLAGS MAX_JOBS NPY_NUM_BUILD_JOBS SWIG PKG_CONFIG PKG_CONFIG_PATH
PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR CMAKE_ARGS CMAKE_GENERATOR CMAKE_PREFIX_PATH CMAKE_BUILD_TYPE
CMAKE_BUILD_PARALLEL_LEVEL CMAKE_TOOLCHAIN_FILE RUSTC RUSTFLAGS RUSTUP_HOME RUSTUP_TOOLCHAIN CARGO CARGO_HOME
CARGO_BUILD_JOBS CARGO_BUILD_TARGET CARGO_TARGET_DIR GOROOT GOPATH GOCACHE GOFLAGS JAVA_HOME
_PYTHON_HOST_PLATFORM _PYTHON_SYSCONFIGDATA_NAME MACOSX_DEPLOYMENT_TARGET SDKROOT DEVELOPER_DIR
"""
#: For backends that download what they compile.
_NETWORK = """
HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
CARGO_HTTP_CAINFO
"""
_WINDOWS = """
SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT OS USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA
PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432 COMMONPROGRAMFILES COMMONPROGRAMFILES(X86)
NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE PROCESSOR_IDENTIFIER INCLUDE LIB LIBPATH VSINSTALLDIR VCINSTALLDIR
VCTOOLSINSTALLDIR WINDOWSSDKDIR WINDOWSSDKVERSION UNIVERSALCRTSDKDIR UCRTVERSION VS160COMNTOOLS VS170COMNTOOLS
DISTUTILS_USE_SDK MSSDK
"""
PASSED = frozenset(f"{_GENERAL}{_WRITTEN}{_COMPILERS}{_NETWORK}{_WINDOWS}".split())
_WRITTEN_PREFIX = "SETUPTOOLS_SCM_PRETEND_VERSION"
_PASSED_PREFIXES = ("LC_", _WRITTEN_PREFIX)
#: A proxy may have a password in its URL, and so may anything.
_SECRET = re.compile(r"://[^/\s]*@")


def build_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of `environ` that a build backend sees: the variables of PASSED, without URLs that have a
    password.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if (name.upper() in PASSED or name.startswith(_PASSED_PREFIXES)) and not _SECRET.search(value)
    }
    return {"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, **kept, "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"}


def written_settings(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables of `environ` that change what a build backend writes into a wheel, as `NAME=value`."""
    written = _WRITTEN.split()
    return tuple(
        f"{name}={value}"
        for name, value in sorted(build_environment(environ).items())
        if name in written or name.startswith(_WRITTEN_PREFIX)
    )


def build_wheel(source: Path, directory: Path, indexes: PackageIndexes = NO_INDEXES) -> Path:
    """Builds a wheel of the project in the directory `source`, and returns it as a file in `directory`.

    This Python builds it; what the backend requires comes from `indexes`. The backend is called once:
    setuptools runs `setup.py` once in that call, unless its sources have `setup_requires`. Raises CzscieError
    with the backend's output.
    """
    system = _build_system(source)
    requires = list(system["requires"])
    known: list[str] = []
    for _ in range(2):
        python = install_backend([*requires, *known], indexes, directory)
        call = {
            "backend": system["build-backend"],
            "path": system.get("backend-path", []),
            "ask": _may_require_more(system, source, python),
            "known": known,
            "wheel": str(directory),
            "answer": str(directory / "answer.json"),
        }
        answer = _call(python, source, directory, call)
        if "wheel" in answer:
            return directory / Path(str(answer["wheel"])).name
        known = answer["requires"]
    raise CzscieError(
        f"cannot build a wheel from {source.name}",
        code=Code.BUILD_FAILED,
        why=f"its build backend requires different packages each time: {known}",
    )


def _build_system(source: Path) -> dict[str, Any]:
    """The table `[build-system]` with the defaults of PEP 517. Raises CzscieError when it is invalid."""
    table = read_pyproject(source).get("build-system", _LEGACY)
    if not isinstance(table, dict) or not isinstance(table.get("requires"), list):
        raise CzscieError(
            f"cannot build a wheel from {source.name}",
            code=Code.BUILD_FAILED,
            why="its [build-system] table is invalid (PEP 518)",
        )
    found = {**table, "build-backend": table.get("build-backend", _LEGACY["build-backend"])}
    outside = [each for each in found.get("backend-path", []) if not _is_inside(source, each)]
    if outside:
        raise CzscieError(
            f"cannot build a wheel from {source.name}",
            code=Code.BUILD_FAILED,
            why=f"backend-path points outside it: {outside[0]}",
        )
    return found


def _is_inside(source: Path, directory: object) -> bool:
    return isinstance(directory, str) and (source / directory).resolve().is_relative_to(source.resolve())


def _may_require_more(system: Mapping[str, Any], source: Path, python: Path) -> bool:
    """Whether to ask the backend for further requirements."""
    if not str(system["build-backend"]).startswith("setuptools.build_meta"):
        return True
    texts = [path.read_bytes() for name in ("setup.py", "setup.cfg") if (path := source / name).is_file()]
    return any(_SETUP_REQUIRES in text for text in texts) or not _is_self_sufficient(python)


def _is_self_sufficient(python: Path) -> bool:
    """Whether the environment's setuptools builds wheels by itself."""
    for path in python.parents[1].rglob("setuptools-*.dist-info"):
        version = re.match(r"setuptools-(\d+)\.(\d+)", path.name)
        return version is not None and tuple(map(int, version.groups())) >= _SELF_SUFFICIENT
    return False


def _call(python: Path, source: Path, directory: Path, call: Mapping[str, Any]) -> dict[str, Any]:
    environment = build_environment(os.environ)
    environment["PATH"] = os.pathsep.join((str(python.parent), environment.get("PATH", os.defpath)))
    environment["VIRTUAL_ENV"] = str(python.parents[1])
    # Else it builds in the source, where what an earlier build left goes into the wheel.
    settings = directory / "distutils.cfg"
    settings.write_text(f"[build]\nbuild_base = {directory / 'build'}\n", encoding="utf-8")
    environment["DIST_EXTRA_CONFIG"] = str(settings)
    program = resources.files("czscie.lock").joinpath("call_backend.py").read_text(encoding="utf-8")
    # No pipe: a compiler's server that the backend starts would hold its end, and reading it would not end.
    told = [str(python), "-s", "call_backend.py", str(call["backend"])]
    with tempfile.TemporaryFile(prefix="czscie-") as output, traced_command(told):
        done = subprocess.run(
            [str(python), "-s", "-c", program],
            input=json.dumps(call),
            cwd=source,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        said = _end_of(output)
    try:
        answer: dict[str, Any] = json.loads(Path(call["answer"]).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        answer = {}
    if done.returncode or not answer:
        lines = [line for line in said.splitlines() if line.strip()]
        raise CzscieError(
            f"the build backend {call['backend']} fails for {source.name}",
            code=Code.BUILD_FAILED,
            why=lines[-_REASON_LINES:] or f"it exited with status {done.returncode}",
            hint="docs/reference/lock.md lists the environment variables that it sees",
        )
    return answer


def _end_of(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _SAID))
    return output.read(_SAID).decode("utf-8", "replace")

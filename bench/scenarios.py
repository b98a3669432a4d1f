"""What is run: the program, its wheels, and what it prints when it runs as it should."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROGRAMS = Path(__file__).with_name("programs")

_MEBIBYTE = 1 << 20
#: The payload of the scenario large: (files, bytes of each), 2 GiB together.
_LARGE_FILES = ((4096, _MEBIBYTE // 4), (64, 16 * _MEBIBYTE))
#: Every other one of these does not compress, as with models and compiled code.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Scenario:
    """`requirements` come from the package index; `write_wheel` makes the wheel of a program of our own.

    `module` has the function `function`, and does the same when it is run with `-m`; `script` is the console
    script for it. `output` is part of what it prints.
    """

    name: str
    requirements: tuple[str, ...]
    project: str
    script: str
    module: str
    function: str
    arguments: tuple[str, ...]
    output: str
    write_wheel: Callable[[Path], Path] | None = None
    #: Packages whose data files PyInstaller and Nuitka have to be told of.
    data_packages: tuple[str, ...] = ()


def _frames_wheel(directory: Path) -> Path:
    members = {"frames.py": (_PROGRAMS / "frames.py").read_bytes()}
    return _write_wheel(directory, "frames", "frames = frames:main", ("numpy", "pandas"), members.items())


def _web_wheel(directory: Path) -> Path:
    members = {"web.py": (_PROGRAMS / "web.py").read_bytes()}
    requirements = ("requests", "rich", "pydantic", "sqlalchemy", "jinja2")
    return _write_wheel(directory, "web", "web = web:main", requirements, members.items())


def _tensors_wheel(directory: Path) -> Path:
    members = {"tensors.py": (_PROGRAMS / "tensors.py").read_bytes()}
    return _write_wheel(directory, "tensors", "tensors = tensors:main", ("torch",), members.items())


def _bulky_wheel(directory: Path) -> Path:
    def members() -> Iterator[tuple[str, bytes]]:
        yield "bulky/__init__.py", (_PROGRAMS / "bulky.py").read_bytes()
        yield "bulky/__main__.py", b"from bulky import main\n\nmain()\n"
        noise = random.Random(1)
        number = 0
        for count, size in _LARGE_FILES:
            for _ in range(count):
                yield f"bulky/bulky_data/{number:05}.bin", _half_noise(noise, size)
                number += 1

    return _write_wheel(directory, "bulky", "bulky = bulky:main", (), members())


def _half_noise(noise: random.Random, size: int) -> bytes:
    line = b"The quick brown fox jumps over the lazy dog. 0123456789 ABCDEF.\n"
    text = line * (_BLOCK // len(line))
    return b"".join(noise.randbytes(_BLOCK) + text for _ in range(size // (2 * _BLOCK)))


def _write_wheel(
    directory: Path,
    project: str,
    script: str,
    requirements: tuple[str, ...],
    members: Iterable[tuple[str, bytes]],
) -> Path:
    """A wheel of pure Python and data, made without any build backend (PEP 427)."""
    path = directory / f"{project}-1.0-py3-none-any.whl"
    information = f"{project}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n"
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    tags = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel:

        def add(name: str, content: bytes) -> None:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}\n")
            wheel.writestr(name, content)

        for name, content in members:
            add(name, content)
        add(f"{information}/METADATA", metadata.encode())
        add(f"{information}/WHEEL", tags.encode())
        add(f"{information}/entry_points.txt", f"[console_scripts]\n{script}\n".encode())
        wheel.writestr(f"{information}/RECORD", "".join(record) + f"{information}/RECORD,,\n")
    return path


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="cowsay",
            requirements=("cowsay==6.1",),
            project="cowsay",
            script="cowsay",
            module="cowsay",
            function="cowsay.__main__:cli",
            arguments=("-t", "moo"),
            output="| moo |",
        ),
        Scenario(
            name="numpy-pandas",
            requirements=("numpy", "pandas"),
            project="frames",
            script="frames",
            module="frames",
            function="frames:main",
            arguments=(),
            output="3032.5 5.0",
            write_wheel=_frames_wheel,
        ),
        Scenario(
            name="web",
            requirements=("requests", "rich", "pydantic", "sqlalchemy", "jinja2"),
            project="web",
            script="web",
            module="web",
            function="web:main",
            arguments=(),
            output="GET 1 moo",
            write_wheel=_web_wheel,
        ),
        Scenario(
            name="torch",
            requirements=("torch",),
            project="tensors",
            script="tensors",
            module="tensors",
            function="tensors:main",
            arguments=(),
            output="45.0",
            write_wheel=_tensors_wheel,
        ),
        Scenario(
            name="django",
            requirements=("django",),
            project="django",
            script="django-admin",
            module="django",
            function="django.core.management:execute_from_command_line",
            arguments=("--version",),
            output=".",
            data_packages=("django",),
        ),
        Scenario(
            name="black",
            requirements=("black",),
            project="black",
            script="black",
            module="black",
            function="black:patched_main",
            arguments=("--version",),
            output="black, ",
        ),
        Scenario(
            name="aws",
            requirements=("awscli",),
            project="awscli",
            script="aws",
            module="awscli",
            function="awscli.clidriver:main",
            arguments=("--version",),
            output="aws-cli/",
            data_packages=("awscli", "botocore"),
        ),
        Scenario(
            name="large",
            requirements=(),
            project="bulky",
            script="bulky",
            module="bulky",
            function="bulky:main",
            arguments=(),
            output="4160 files, the first begins with ",
            write_wheel=_bulky_wheel,
            data_packages=("bulky",),
        ),
    )
}

from __future__ import annotations

import ast
import functools
import hashlib
import shutil
from collections.abc import Collection, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import czscie
from czscie import toolchain
from czscie.build_cache import key_of

PACKAGE = Path(czscie.__file__).parent

#: Where products are made; whatever uses the cache of products is added.
MAKERS = ("parts.py", "build.py", "interpreters.py", "image/build.py", "czex/inject.py", "sbom/bill.py")


def modules_of(name: str) -> Iterator[Path]:
    """The files that importing the module `name` runs, and that of an attribute which may be a module."""
    path = PACKAGE.parent
    for part in name.split("."):
        path /= part
        if (module := path.with_suffix(".py")).is_file() or (module := path / "__init__.py").is_file():
            yield module


def imported(path: Path) -> Iterator[str]:
    """The names that the module at `path` may import, wherever the statement is, but for annotations.

    A text that is the name of a package counts, too: its files are read by `importlib.resources`.
    """
    tree = ast.parse(path.read_bytes())
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        match node:
            case _ if id(node) in annotations:
                continue
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom(module=module, level=level, names=names) if level:
                package = ".".join(path.relative_to(PACKAGE.parent).parts[:-level])
                yield from (".".join(filter(None, (package, module, alias.name))) for alias in names)
            case ast.Constant(value=str(text)) if text.startswith("czscie."):
                yield text


@functools.cache
def reachable() -> frozenset[Path]:
    """All modules that importing the makers of products may run."""
    found: set[Path] = set()
    left = sorted(makers())
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        for name in imported(path):
            if name.partition(".")[0] == "czscie":
                left.extend(modules_of(name))
    return frozenset(found)


def makers() -> set[Path]:
    named = {PACKAGE / name for name in MAKERS}
    assert all(path.is_file() for path in named)
    kept = {
        path
        for path in PACKAGE.rglob("*.py")
        if {"czscie.build_cache.product", "czscie.build_cache.knowledge"}.intersection(imported(path))
    }
    return named | kept


def uncovered(apart: Collection[str]) -> list[str]:
    """The modules that make products and are in `apart`, as paths in the package."""
    paths = [path.relative_to(PACKAGE) for path in reachable()]
    return sorted(
        path.as_posix() for path in paths if any(part.as_posix() in apart for part in (path, *path.parents))
    )


def test_no_module_that_makes_products_is_apart() -> None:
    assert uncovered(toolchain.APART) == []


@pytest.mark.parametrize("name", ["elf.py", "container", "lock/locker.py", "console.py", "pack"])
def test_the_walk_finds_what_makes_products(name: str) -> None:
    assert uncovered({*toolchain.APART, name})


def test_the_walk_goes_through_packages_and_functions() -> None:
    found = reachable()
    assert len(found) > 120
    assert {PACKAGE / "elf.py", PACKAGE / "czex" / "convert.py", PACKAGE / "lock" / "__init__.py"} <= found


def test_what_is_apart_is_there() -> None:
    missing = {name for name in toolchain.APART if not (PACKAGE / name).exists()}
    assert missing <= {"native"}  # of an installed czscie


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of czscie."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "czscie", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize(
    "path", ["elf.py", "platforms.py", "parts.py", "libc/debian.json", "pack/finder.py", "lock/payload.py"]
)
def test_a_change_of_what_makes_products_is_a_change_of_the_key(package: Path, path: str) -> None:
    before = toolchain.code_digest(package)
    with (package / path).open("ab") as file:
        file.write(b"\n")
    assert toolchain.code_digest(package) != before


def test_a_new_name_of_a_module_is_a_change_of_the_key(package: Path) -> None:
    before = toolchain.code_digest(package)
    (package / "elf.py").rename(package / "elves.py")
    assert toolchain.code_digest(package) != before


@pytest.mark.parametrize("path", ["commands/build.py", "cli.py", "__pycache__/elf.cpython-311.pyc"])
def test_a_change_of_what_speaks_is_none(package: Path, path: str) -> None:
    before = toolchain.code_digest(package)
    (package / path).parent.mkdir(exist_ok=True)
    (package / path).write_bytes(b"\n")
    assert toolchain.code_digest(package) == before


def test_this_package_is_what_is_digested(package: Path) -> None:
    assert toolchain.code_digest() == toolchain.code_digest(package)


@pytest.mark.parametrize(
    "library", ["zstandard", "libzstd", "packaging", "cyclonedx-python-lib", "xz", "zlib"]
)
def test_another_version_of_a_library_is_another_key(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    toolchain.digest.cache_clear()
    before = key_of("a")
    changed = {**toolchain.libraries(), library: "0"}
    monkeypatch.setattr(toolchain, "libraries", lambda: changed)
    toolchain.digest.cache_clear()
    after = key_of("a")
    toolchain.digest.cache_clear()
    assert before != after


@pytest.mark.parametrize("name", ["__version__", "pex", "python"])
def test_so_is_another_version_of_czscie_of_pex_and_of_python(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toolchain.digest.cache_clear()
    before = key_of("a")
    match name:
        case "__version__":
            monkeypatch.setattr(toolchain, "__version__", "0")
        case "pex":
            monkeypatch.setattr(toolchain, "version", lambda name: "0" if name == "pex" else version(name))
        case _:
            monkeypatch.setattr(toolchain.sys, "version", "3.99")
    toolchain.digest.cache_clear()
    after = key_of("a")
    toolchain.digest.cache_clear()
    assert before != after


def test_keys_tell_inputs_apart() -> None:
    assert len({key_of("a", "b"), key_of("b", "a"), key_of("ab")}) == 3
    assert key_of("a") == key_of("a")


def test_the_sources_are_read_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    key_of("a")
    monkeypatch.setattr(toolchain, "code_digest", lambda: pytest.fail("read again"))
    assert key_of("b") != key_of("a")


def test_xz_is_known_by_its_version_or_by_what_it_makes() -> None:
    assert toolchain.libraries()["xz"][0].isdigit() or toolchain.libraries()["xz"].startswith("unknown (")
    assert toolchain._xz_sample() == toolchain._xz_sample()
    assert hashlib.sha256(b"").hexdigest()[:16] not in toolchain._xz_sample()

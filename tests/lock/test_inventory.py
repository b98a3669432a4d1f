from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import czscie
from building import Project
from czscie.lift import embedded_file, interpreter
from czscie.loader import load_lift
from czscie.lock.ensure import ensure_lock
from czscie.lock.inventory.input import Scope
from czscie.lock.inventory.inventory import KINDS, current, inventory
from czscie.lock.lock import Lock
from czscie.lock.use import LockUse
from czscie.pbs import local, standalone
from czscie.session import Session
from czscie.vendor_directory import KINDS as DIRECTORIES
from libc.factories import mirror
from lock.test_locking import add_wheels
from network.server import MirrorServer

PACKAGE = Path(czscie.__file__).parent

#: Classes that are told apart by what they answer, and the modules that may ask for the class.
CLASSES = {
    **{kind.__name__: kind.__module__ for kind in KINDS},
    **{
        name: module.__name__
        for module in (interpreter, embedded_file, standalone, local)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    },
}


def asked_classes(path: Path) -> Iterator[str]:
    """The names of the classes that a module's isinstance and its patterns ask for."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, classes]):
                asked: ast.AST = classes
            case ast.Compare(left=ast.Call(func=ast.Name(id="type"))):
                asked = node
            case ast.MatchClass(cls=kind):
                asked = kind
            case _:
                continue
        for inner in ast.walk(asked):
            if isinstance(inner, ast.Name):
                yield inner.id
            elif isinstance(inner, ast.Attribute):
                yield inner.attr


def test_no_module_asks_for_the_class_of_anothers_input_or_provider() -> None:
    assert {"PythonBuildStandalone", "DirectorySource", "FromUrl", "WheelInput"} <= CLASSES.keys()
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name in asked_classes(path)
        if name in CLASSES
        and CLASSES[name] != f"czscie.{path.relative_to(PACKAGE).as_posix()[:-3]}".replace("/", ".")
    }
    assert found == set()


@pytest.fixture
def scope(project: Project, server: MirrorServer, tmp_path: Path) -> Scope:
    """A lift with inputs of all kinds but a PEX, a script and an icon, and its lock."""
    add_wheels(project, server)
    server.files["/cows.json"] = b"[]"
    (project.directory / "debian.json").write_bytes(msgspec.json.encode(mirror(tmp_path / "debian")))
    digest = hashlib.sha256(b"[]").hexdigest()
    rest = (
        f'[[lift.files]]\nname = "cows.json"\nsource = {{ url = "{server.url}/cows.json", lazy = false }}\n'
        f'digest = {{ size = 2, fingerprint = "{digest}" }}\n'
        '[lift.libc]\nbundle = "always"\npackages = "debian.json"\n'
    )
    project.manifest(payload='lock = "pylock.toml"', rest=rest)
    lift, targets = load_lift(project.directory / "lift.toml", ())
    session = Session.of()
    lock = ensure_lock(lift, targets, LockUse.UPDATE, session)
    return Scope(lift, lock, targets, session.provider)


def test_every_kind_of_input_is_in_the_inventory(scope: Scope) -> None:
    found = inventory(scope)
    others = {"PayloadInput", "IconInput"}
    assert {type(each).__name__ for each in found} == {kind.__name__ for kind in KINDS} - others
    assert all(each.sha256 is not None and each.name for each in found)


def test_an_input_that_a_vendor_directory_holds_has_a_place_there(scope: Scope) -> None:
    carried = [each for each in inventory(scope) if each.file_name is not None]
    assert {each.DIRECTORY for each in carried} == set(DIRECTORIES)


def test_what_a_kind_tells_of_a_lock_are_keys_of_it(scope: Scope) -> None:
    assert current(scope.lift).keys() <= set(Lock.__struct_fields__)
    for key, value in current(scope.lift).items():
        if key != "payload":
            assert getattr(scope.lock, key) == value


def test_each_kind_is_called_something_of_its_own() -> None:
    assert len({kind.KIND for kind in KINDS}) == len(KINDS)

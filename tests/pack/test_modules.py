from __future__ import annotations

from czscie.pack.modules import is_in_package, module_name, module_sources


def test_sources_are_modules_and_other_files_are_not() -> None:
    assert module_sources(["b.py", "a/__init__.py", "a/data.json", "a/c.pyc", "a/d.pyi"]) == [
        "a/__init__.py",
        "b.py",
    ]


def test_an_extension_module_hides_the_source_of_its_name() -> None:
    paths = ["a/fast.py", "a/fast.cpython-313-x86_64-linux-gnu.so", "a/slow.py", "b.py", "b.pyd", "fast.py"]
    assert module_sources(paths) == ["a/slow.py", "fast.py"]


def test_names_that_cannot_be_written_stay_out() -> None:
    assert module_sources(["\udcff.py", "a\nb.py", "größe.py"]) == ["größe.py"]


def test_names_are_dotted() -> None:
    assert [module_name(path) for path in ("json/decoder.py", "json/__init__.py", "re.py")] == [
        "json.decoder",
        "json",
        "re",
    ]


def test_packages_are_regular_from_some_directory_on() -> None:
    packages = {"a", "a/b", "space/c", "a/no/d"}
    inside = ("single.py", "a/__init__.py", "a/b/x.py", "space/c/x.py")
    outside = ("space/x.py", "a/no/x.py", "a/no/d/x.py", "a/0001_x.py", "a-b/x.py", "other/x.py")
    assert all(is_in_package(path, packages) for path in inside)
    assert not any(is_in_package(path, packages) for path in outside)

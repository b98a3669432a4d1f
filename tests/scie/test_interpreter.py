from __future__ import annotations

from pathlib import Path

import pytest

from czscie.container.content import Data, File, Link
from czscie.container.part import open_part
from czscie.container.plan import PlannedLink
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Distribution, Layout
from czscie.platforms import find_platform
from czscie.scie.interpreter import write_interpreter

LARGE = bytes(range(256)) * 5000


def distribution(**changed: bytes) -> Distribution:
    contents = {"bin/python3.13": b"\x7fELF", "lib/large": LARGE, "lib/os.py": b"# os\n"} | changed
    files = [File(path, Data(data), path.startswith("bin/")) for path, data in contents.items()]
    return Distribution(
        find_platform("linux-x86_64"),
        Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"),
        (*files, Link("bin/python", "python3.13")),
        None,
    )


def test_everything_of_a_distribution_is_planned(tmp_path: Path) -> None:
    plan = write_interpreter(distribution(), tmp_path / "cpython.zip", 3)
    assert {file.path: file.executable for file in plan.files} == {
        "bin/python3.13": True,
        "lib/large": False,
        "lib/os.py": False,
    }
    assert {file.kind for file in plan.files} == {"file"}
    assert plan.links == (PlannedLink("bin/python", "python3.13"),)


def test_every_file_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "cpython.zip"
    write_interpreter(distribution(), path, 3)
    with open_part(path) as part:
        assert part.find("lib/large") == LARGE
        assert part.find("lib/os.py") == b"# os\n"
        assert part.find("bin/python3.13") == b"\x7fELF"
        assert part.find("bin/python") is None, "a link is no file"
        assert part.find("none") is None


def test_equal_distributions_are_equal_zips_and_different_ones_differ(tmp_path: Path) -> None:
    one = write_interpreter(distribution(), tmp_path / "one", 3)
    two = write_interpreter(distribution(), tmp_path / "two", 3)
    other = write_interpreter(distribution(**{"lib/os.py": b"# so\n"}), tmp_path / "other", 3)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert one.digest() == two.digest() != other.digest()


def test_an_interpreter_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    class Gone:
        size = 3

        def read(self) -> bytes:
            raise OSError("gone")

    broken = distribution()
    broken = Distribution(broken.platform, broken.layout, (File("a", Gone()), *broken.items), None)
    with pytest.raises(OSError, match="gone"):
        write_interpreter(broken, tmp_path / "out" / "cpython.zip", 3)
    assert not (tmp_path / "out").exists()

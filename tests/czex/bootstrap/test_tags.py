from __future__ import annotations

import subprocess
import sys

import pytest
from packaging import tags as packagings

from czscie.czex.bootstrap import tags


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="there is no CZEX for this system")
def test_the_tags_of_this_python_are_those_of_packaging_in_its_order() -> None:
    expected = [(tag.interpreter, tag.abi, tag.platform) for tag in packagings.sys_tags()]
    assert tags.supported_tags() == expected


def test_a_program_names_its_loader() -> None:
    if sys.platform != "linux":
        pytest.skip("programs are of another format")
    loader = tags._program_interpreter(sys.executable)
    done = subprocess.run([loader, "--version"], capture_output=True, text=True)
    assert done.stdout or done.stderr
    assert tags._program_interpreter(__file__) == ""
    assert tags._program_interpreter("/none") == ""

from __future__ import annotations

from pathlib import Path

import pytest

from composition.factories import BIG, COW, HERD, bill, executable, interpreter, payload
from czscie.composition.write import write_page
from integration.chromium import browser

__all__ = ("browser",)

HOSTILE = (
    "</script><script>document.title = 'attacked'</script>",
    '"><img src=x onerror="document.title = \'attacked\'">',
    "\x1b]0;attacked\x07\u202egnp.exe",
    "צפרדע עם שם ארוך מאוד",
    "a-name-without-any-place-to-break-it-" * 4,
)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of three pages: of an executable, of what changed since another, and of a hostile one."""
    directory = tmp_path_factory.mktemp("pages")
    old = executable(
        directory / "old", [interpreter(directory), payload(directory, {"cow-1.0-py3-none-any.whl": COW})]
    )
    herd = {f"herd/bull{number}.py": f"bull = {number}\n".encode() * number for number in range(1, 200)}
    herd |= {**HERD, "herd/big.so": BIG[:40_000]}
    wheels = {"cow-1.0-py3-none-any.whl": COW, "herd-2.0-py3-none-any.whl": herd}
    new = executable(directory / "new", [interpreter(directory), payload(directory, wheels)])
    members = {f"{name}/RECORD": name.encode() * 500 for name in HOSTILE}
    components = [{"bom-ref": f"payload/{name}", "name": name, "version": name} for name in HOSTILE]
    hostile = executable(
        directory / "hostile",
        [interpreter(directory), payload(directory, {"evil-1-py3-none-any.whl": members})],
        name=HOSTILE[0],
        description=HOSTILE[1],
        sbom=bill(*components),
    )
    write_page(new, directory / "new.html")
    write_page(new, directory / "grown.html", old)
    write_page(hostile, directory / "hostile.html")
    return directory

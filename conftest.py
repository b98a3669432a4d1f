"""What holds for all tests: of `tests`, `integration` and `e2e`."""

from __future__ import annotations

import signal

import pytest

from own_mounts import hide_hosts_directory

#: Files that take minutes come first: one that starts last would be alone at the end of a run with xdist. The
#: first of `e2e` makes the mirror while other processes have something else to do.
LONG = (
    "e2e/test_situations.py",
    "integration/launchers/test_build.py",
    "integration/native/test_size.py",
    "integration/lock/test_backends.py",
    "integration/conformance/test_behaviours.py",
    "integration/native/test_launcher.py",
    "integration/native/test_fuzz.py",
    "integration/test_kills.py",
    "integration/czex/test_inject_start.py",
    "e2e/test_packages.py",
    "e2e/test_release.py",
    "e2e/test_situations_web.py",
    "e2e/test_situations_tools.py",
    "e2e/test_wine_process.py",
)

# A shell starts what runs in the background with SIGINT ignored, and what ignores it passes that on: Ctrl-C
# would end none of the processes that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before any test starts a thread: mounts are those of one thread at first.
hide_hosts_directory()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    order = {config.rootpath / name: number for number, name in enumerate(LONG)}
    if missing := [str(path) for path in order if not path.exists()]:
        raise pytest.UsageError(f"conftest.py names files that are not there: {', '.join(missing)}")
    items.sort(key=lambda item: order.get(item.path, len(LONG)))

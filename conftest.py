"""What holds for all tests: of `tests`, `integration` and `e2e`."""

from __future__ import annotations

import signal

from own_mounts import hide_hosts_directory

# A shell starts what runs in the background with SIGINT ignored, and what ignores it passes that on: Ctrl-C
# would end none of the processes that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before any test starts a thread: mounts are those of one thread at first.
hide_hosts_directory()

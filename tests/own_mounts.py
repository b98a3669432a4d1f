"""Mounts of the test process's own: what root starts in a test is not installed on the host."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

HOSTS_DIRECTORY = Path("/var/cache/czscie")

_CLONE_NEWNS = 0x20000


def hide_hosts_directory() -> bool:
    """Makes /var/cache an empty read-only directory for this process and what it starts.

    Returns False where that is not possible or not needed.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not HOSTS_DIRECTORY.parent.is_dir():
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        return False
    commands = ["mount --make-rslave /", f"mount -t tmpfs -o ro,mode=0755 tmpfs {HOSTS_DIRECTORY.parent}"]
    return all(subprocess.run(command.split(), check=False).returncode == 0 for command in commands)

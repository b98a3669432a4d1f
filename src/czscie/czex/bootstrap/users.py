# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when a directory above a base directory
# is not plainly the user's or root's.
"""Rules about users and groups that `__main__` leaves out: the launcher's (docs/explained/bare.md)."""

import os
import sys

#: Whom a user namespace shows in place of an id that it does not know (user_namespaces(7)).
_UNKNOWN = 65534


def is_unknown():
    # type: () -> bool
    """Whether 65534 stands for ids outside this user namespace, root of the host among them."""
    lines = _read("/proc/self/uid_map").splitlines()
    ranges = [[int(field) for field in line.split()] for line in lines]
    return bool(ranges) and not any(first <= _UNKNOWN < first + count for first, _, count in ranges)


def is_private(group):
    # type: (int) -> bool
    """Whether the user alone is in `group`, by /etc/passwd and /etc/group. To root no group is private."""
    user = os.geteuid()
    accounts = [line.split(":") for line in _read("/etc/passwd").splitlines()]
    firsts = [account for account in accounts if len(account) > 3 and account[3] == str(group)]
    if not user or not firsts or any(account[2] != str(user) for account in firsts):
        return False
    groups = [line.split(":") for line in _read("/etc/group").splitlines()]
    found = [each for each in groups if len(each) > 3 and each[2] == str(group)]
    members = [member for each in found for member in each[3].replace(" ", "").split(",") if member]
    return bool(found) and all(member == firsts[-1][0] for member in members)


def is_mounted_by_users(device):
    # type: (int) -> bool
    """Whether the file system `device` is FUSE: the only kind that users mount where they like."""
    if not sys.platform.startswith("linux"):
        return False
    number = "%d:%d" % (os.major(device), os.minor(device))
    mounts = [line.split(" ") for line in _read("/proc/self/mountinfo").splitlines()]
    kinds = [mount[mount.index("-") + 1] for mount in mounts if mount[2] == number and "-" in mount]
    return not kinds or any(kind.partition(".")[0] in ("fuse", "fuseblk") for kind in kinds)


def _read(path):
    # type: (str) -> str
    try:
        with open(path) as file:
            return file.read()
    except (IOError, OSError, ValueError):
        return ""

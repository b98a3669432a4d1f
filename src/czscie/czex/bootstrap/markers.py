# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when it is started for the first time.
"""Environment markers (PEP 508), which `czscie inject` has parsed."""

import os
import platform
import sys

from .versions import accepts, is_specifier

#: What is compared as versions where what it is compared with is one.
_VERSIONS = ("implementation_version", "platform_release", "python_full_version", "python_version")


class Undefined(Exception):
    """A marker that compares texts as if they were versions."""


def environment():
    # type: () -> dict[str, str]
    """The values of this interpreter's marker variables."""
    implementation = getattr(sys, "implementation", None)
    if implementation is None:  # before 3.3
        name, version = "", "0"
    else:
        name, version = implementation.name, _full_version(implementation.version)
    return {
        "implementation_name": name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": python_version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    }


def python_version():
    # type: () -> str
    """`3.13.9`, `3.14.0rc1`."""
    version = platform.python_version()
    # What is built from a checkout has a local part that is empty.
    return version + "local" if version.endswith("+") else version


def _full_version(info):
    # type: (object) -> str
    level = info.releaselevel  # type: ignore[attr-defined]
    numbers = "%d.%d.%d" % (info.major, info.minor, info.micro)  # type: ignore[attr-defined]
    return numbers if level == "final" else "%s%s%d" % (numbers, level[0], info.serial)  # type: ignore[attr-defined]


def holds(marker, extras, variables):
    # type: (object, list[str], dict[str, str]) -> bool
    """Whether `marker` (docs/reference/format.md, section 8) holds for any of `extras`, or with no extra.

    Raises Undefined.
    """
    if not marker:
        return True
    return any(_holds(marker, dict(variables, extra=extra)) for extra in list(extras) or [""])


def _holds(marker, variables):
    # type: (object, dict[str, str]) -> bool
    """`marker` is alternatives, each a list of conditions that must all hold."""
    return any(all(_condition(item, variables) for item in group) for group in marker)  # type: ignore[attr-defined]


def _condition(item, variables):
    # type: (object, dict[str, str]) -> bool
    if isinstance(item, dict):
        left, right = item["left"], item["right"]
        name = right if isinstance(left, list) else left
        return _compare(name, _value(left, variables), item["operator"], _value(right, variables))
    return _holds(item, variables)


def _value(side, variables):
    # type: (list[str], dict[str, str]) -> str
    """`side` is a variable's name, or a text in a list of one."""
    return side[0] if isinstance(side, list) else variables[side]


def _compare(name, left, operator, right):
    # type: (str, str, str, str) -> bool
    if name in _VERSIONS and is_specifier(operator, right):
        try:
            return accepts([[operator, right]], left)
        except ValueError:
            return False  # `left` is no version, which no specifier accepts
    if operator == "in":
        return left in right
    if operator == "not in":
        return left not in right
    if operator in ("~=", "==="):
        raise Undefined("%s compares %r with %r, which are not versions" % (operator, left, right))
    # Texts have no order.
    return {"==": left == right, "<=": left == right, ">=": left == right, "!=": left != right}.get(
        operator, False
    )

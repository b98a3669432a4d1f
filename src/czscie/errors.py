"""The error type that users see: what failed, why, and the command or setting that fixes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from types import MappingProxyType
from typing import Any


class Code(Enum):
    """Kinds of failures: those of one code have the same cause and the same remedy.

    Each has a page, `explain/pages/CZ….md`, which `czscie explain` prints. The first digit is the subject. A
    code keeps its meaning: a new kind gets a new number, and one that is no longer used goes to RETIRED.
    """

    # Manifests and options.
    MANIFEST_SYNTAX = "CZ001"
    MANIFEST_INVALID = "CZ002"
    MANIFEST_MISSING = "CZ003"
    FILE_MISSING = "CZ004"
    FILE_CHANGED = "CZ005"
    PLATFORM_UNKNOWN = "CZ006"
    PLATFORM_NOT_BUILT = "CZ007"
    UNSUPPORTED = "CZ008"
    NAME_UNKNOWN = "CZ009"
    NAME_TAKEN = "CZ010"
    PLACEHOLDER = "CZ011"
    OPTION_INVALID = "CZ012"

    # Programs, PEXes and wheels.
    PROGRAM_UNKNOWN = "CZ101"
    PROJECT_INVALID = "CZ102"
    REQUIREMENTS_INVALID = "CZ103"
    START_UNKNOWN = "CZ104"
    ENTRY_POINT_MISSING = "CZ105"
    PEX_INVALID = "CZ106"
    WHEEL_INVALID = "CZ107"
    WHEELS_LACKING = "CZ108"
    PYTHON_REFUSED = "CZ109"
    CZEX_UNUSABLE = "CZ110"
    ARCHIVE_DAMAGED = "CZ111"
    ARCHIVE_UNSAFE = "CZ112"

    # Interpreters.
    INTERPRETER_NOT_RELEASED = "CZ201"
    INTERPRETER_UNUSABLE = "CZ202"
    RELEASES_UNREADABLE = "CZ203"
    NOT_PACKABLE = "CZ204"
    ATTESTATION_UNVERIFIED = "CZ205"

    # Locks, and what is resolved and built for them.
    LOCK_MISSING = "CZ301"
    LOCK_OUT_OF_DATE = "CZ302"
    LOCK_DIFFERS = "CZ303"
    LOCK_UNREADABLE = "CZ304"
    LIBRARIES_DIFFER = "CZ305"
    RESOLVE_FAILED = "CZ306"
    BUILD_NOT_ALLOWED = "CZ307"
    BUILD_FAILED = "CZ308"
    NOT_PINNABLE = "CZ309"
    PYLOCK_UNUSABLE = "CZ310"

    # The network.
    OFFLINE = "CZ401"
    UNREACHABLE = "CZ402"
    TLS_REFUSED = "CZ403"
    NETWORK_SETTING = "CZ404"
    CONTENT_WRONG = "CZ405"

    # This machine.
    DISK_FULL = "CZ501"
    FILE_UNREADABLE = "CZ502"
    OUTPUT_UNWRITABLE = "CZ503"
    OUTPUT_EXISTS = "CZ504"
    CACHE_UNUSABLE = "CZ505"
    LAUNCHER_UNUSABLE = "CZ506"
    CHANGED_DURING_BUILD = "CZ507"
    SYSTEM_REFUSES = "CZ508"
    PROGRAM_FAILED = "CZ509"

    # Executables, images and vendor directories.
    NOT_AN_EXECUTABLE = "CZ601"
    EXECUTABLE_DAMAGED = "CZ602"
    OTHER_VERSION = "CZ603"
    TOO_LARGE = "CZ604"
    ICON_INVALID = "CZ605"
    LIBC_UNAVAILABLE = "CZ606"
    IMAGE_PLATFORM = "CZ607"
    IMAGE_WITHOUT_LIBC = "CZ608"
    BASE_IMAGE = "CZ609"
    VENDOR_UNUSABLE = "CZ610"

    # czscie itself.
    SEVERAL = "CZ901"
    CRASH = "CZ902"


#: Codes that no error has any more, and what took their place, in a sentence.
RETIRED: MappingProxyType[str, str] = MappingProxyType({})


class CzscieError(Exception):
    """An error that the user can act on. The command line prints it and exits with status 1.

    `what` is one sentence without a full stop. `why` is one or more causes, each a line of its own. `hint` is
    the command or setting that fixes it; `option` takes its place where there is no manifest. An error that
    consists of others has them as `inner`, and their lines as its causes.
    """

    def __init__(
        self,
        what: str,
        *,
        code: Code,
        why: str | Iterable[str] = (),
        hint: str | None = None,
        option: str | None = None,
        inner: Iterable[CzscieError] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = code
        self.inner = tuple(inner)
        own = (why,) if isinstance(why, str) else tuple(why)
        self.why: tuple[str, ...] = (*own, *(line for each in self.inner for line in self._lines(each)))
        self.hint = hint
        self.option = option

    def __str__(self) -> str:
        """The message without its code."""
        return self._text("error")

    @property
    def shown(self) -> str:
        """The message as the terminal shows it, without colours."""
        return self._text(f"error[{self.code.value}]")

    @property
    def members(self) -> dict[str, Any]:
        """What `--json` says of it."""
        return {"code": self.code.value, "what": self.what, "why": list(self.why), "hint": self.hint}

    def without_manifest(self, program: str) -> CzscieError:
        """The same for a program that has no manifest: with options in place of keys or, where there is none,
        with how it gets a manifest. `program` are the arguments that name it.
        """
        hint = self.option or self.hint
        if hint is not None and "lift." in hint:
            hint = f"write a manifest with czscie init {program}, and {hint}"
        inner = [each.without_manifest(program) for each in self.inner]
        why = () if inner else self.why
        return CzscieError(self.what, code=self.code, why=why, hint=hint, inner=inner)

    def _lines(self, inner: CzscieError) -> Iterator[str]:
        """The lines of one of several."""
        yield inner.what if inner.code is self.code else f"{inner.what} [{inner.code.value}]"
        yield from (f"  {why}" for why in inner.why)
        if inner.hint is not None:
            yield f"  hint: {inner.hint}"

    def _text(self, label: str) -> str:
        lines = [f"{label}: {self.what}", *(f"  {cause}" for cause in self.why)]
        if self.hint is not None:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


def problems_of(checks: Iterable[Callable[[], object]]) -> Iterator[CzscieError]:
    """What the checks raise, in their order. Other exceptions pass."""
    for check in checks:
        try:
            check()
        except CzscieError as problem:
            yield problem


def raise_all(problems: Iterable[CzscieError]) -> None:
    """Raises the problems as one, equal ones once; nothing when there is none."""
    distinct: dict[str, CzscieError] = {}
    for problem in problems:
        distinct.setdefault(str(problem), problem)
    if not distinct:
        return
    if len(distinct) == 1:
        raise next(iter(distinct.values()))
    raise CzscieError(
        f"{len(distinct)} problems keep the build from succeeding",
        code=Code.SEVERAL,
        inner=distinct.values(),
    )

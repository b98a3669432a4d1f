"""Which interpreters and files an executable fetches at the first start that needs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from czscie.lift.embedded_file import FETCHED_TYPES, EmbeddedFile
from czscie.lift.interpreter import Interpreter
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.platforms import Platform


@dataclass(frozen=True, slots=True)
class Laziness:
    """The ids of what is fetched at a start, and the names of files that bindings print then.

    `embedded` are keys of what is lazy in the manifest, and why it is embedded all the same.
    """

    interpreters: frozenset[str]
    files: frozenset[str]
    embedded: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, lift: Lift, platform: Platform) -> Laziness:
        """That of the executable of `lift` for `platform`."""
        reasons = dict(_reasons(lift, platform))
        lazy = {each.id for each in lift.interpreters if each.lazy and each.id not in reasons}
        files = {each.name for each in lift.files if each.is_fetched and each.id not in reasons}
        keys = {each.id: f"interpreters[{index}].lazy" for index, each in enumerate(lift.interpreters)}
        keys |= {each.id: f"files[{index}].source.lazy" for index, each in enumerate(lift.files)}
        embedded = tuple((f"{lift.key}.{keys[each]}", why) for each, why in reasons.items())
        return cls(frozenset(lazy), frozenset(files), embedded)

    def needs_fetcher(self, lift: Lift) -> bool:
        return bool(self.interpreters or self.files) or lift.calls_ptex()


def _reasons(lift: Lift, platform: Platform) -> Iterator[tuple[str, str]]:
    """The ids of what is lazy in the manifest and must be embedded, and why."""
    for interpreter in lift.interpreters:
        if interpreter.lazy and (why := _of_interpreter(lift, interpreter, platform)):
            yield interpreter.id, why
    for file in lift.files:
        if file.is_lazy and (why := _of_file(file)):
            yield file.id, why


def _of_interpreter(lift: Lift, interpreter: Interpreter, platform: Platform) -> str | None:
    if not interpreter.can_be_fetched:
        return "only install_only archives of python-build-standalone are fetched"
    if platform.os == "linux" and lift.libc.bundle != NEVER:
        return "a bundled C library changes the interpreter"
    payload = lift.payload
    if platform.os == "windows" and payload is not None and payload.interpreter == interpreter.id:
        return "on Windows, the payload contains programs of its interpreter"
    return None


def _of_file(file: EmbeddedFile) -> str | None:
    if file.kind not in FETCHED_TYPES:
        return f"at a start, only these types are unpacked: {', '.join(FETCHED_TYPES)}"
    if file.digest is None or file.digest.size is None:
        return "its digest has no size"
    return None

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from czscie.lock.current_inputs import CurrentInputs
from czscie.lock.differences import differences
from czscie.lock.lock import (
    Lock,
    LockedFile,
    LockedInterpreter,
    LockedLauncher,
    LockedLaunchers,
    LockedLibc,
    LockedPayload,
    RequestedInterpreter,
    RequestedLift,
    RequestedPayload,
)
from czscie.platforms import find_platform

A, B = "a" * 64, "b" * 64
PLATFORMS = ("linux-x86_64", "macos-aarch64")
CPYTHON = RequestedInterpreter(provider="PythonBuildStandalone", version="3.13", flavor="install_only")
HOST = RequestedInterpreter(provider="Host")
PAYLOAD = RequestedPayload(requirements=("cow", "calf"), interpreter="cpython", glibc="2.28")


def locked(identifier: str, platform: str, asked: RequestedInterpreter) -> LockedInterpreter:
    return LockedInterpreter(
        id=identifier, platform=platform, provider=asked.provider, version="3.13.9", sha256=A
    )


HERE = tuple(locked("host", platform, HOST) for platform in PLATFORMS)
KNOWN = Lock(
    created_by="czscie 1",
    launcher=LockedLaunchers(source=A),
    manifest=RequestedLift(interpreters={"cpython": CPYTHON, "host": HOST}, payload=PAYLOAD),
    files=(LockedFile(id="words", sha256=A, size=1), LockedFile(id="cows", sha256=A)),
    payload=LockedPayload(sha256=A),
    interpreters=HERE,
    libc=LockedLibc(table=A),
)
NOW = CurrentInputs(KNOWN)
LOCK = msgspec.structs.replace(
    KNOWN,
    launcher=LockedLaunchers(
        source=A,
        binaries=tuple(LockedLauncher(name=platform, sha256=A, size=1) for platform in PLATFORMS),
    ),
    libraries={"zstandard": "0.25.0"},
    interpreters=(*HERE, *(locked("cpython", platform, CPYTHON) for platform in PLATFORMS)),
    payload=LockedPayload(sha256=A, platforms=PLATFORMS),
)

TEXT = st.text("0123456789.abc", min_size=1, max_size=8)
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)


def changed(
    struct: msgspec.Struct, values: st.SearchStrategy[object], *fields: str
) -> st.SearchStrategy[object]:
    """The struct with one of its fields another value."""

    def change(drawn: tuple[str, object]) -> object:
        field, value = drawn
        return msgspec.structs.replace(struct, **{field: None if value == getattr(struct, field) else value})

    return st.tuples(st.sampled_from(fields), values).map(change)


def now(**keys: object) -> CurrentInputs:
    """What this machine tells, with other values of some keys."""
    return CurrentInputs(msgspec.structs.replace(KNOWN, **keys))


def with_interpreter(asked: object) -> CurrentInputs:
    interpreters = {**NOW.requested.interpreters, "cpython": asked}
    return now(manifest=msgspec.structs.replace(NOW.requested, interpreters=interpreters))


def with_payload(asked: object) -> CurrentInputs:
    return now(manifest=msgspec.structs.replace(NOW.requested, payload=asked))


def with_local(local: object) -> CurrentInputs:
    return now(interpreters=(local, *HERE[1:]))


#: Every input of a lift, changed in one place.
CHANGES = st.one_of(
    TEXT.filter(lambda text: text != KNOWN.created_by).map(lambda text: now(created_by=text)),
    DIGEST.filter(A.__ne__).map(lambda digest: now(launcher=LockedLaunchers(source=digest))),
    DIGEST.filter(A.__ne__).map(lambda digest: now(payload=LockedPayload(sha256=digest))),
    DIGEST.filter(A.__ne__).map(lambda digest: now(libc=LockedLibc(table=digest))),
    st.just(now(libc=None)),
    changed(CPYTHON, TEXT, "version", "release", "flavor").map(with_interpreter),
    changed(PAYLOAD, TEXT, "glibc", "interpreter").map(with_payload),
    changed(PAYLOAD, st.lists(TEXT, max_size=3).map(tuple), "requirements", "requires").map(with_payload),
    DIGEST.filter(A.__ne__).map(lambda digest: with_local(msgspec.structs.replace(HERE[0], sha256=digest))),
    st.permutations(KNOWN.files)
    .filter(lambda files: tuple(files) != KNOWN.files)
    .map(lambda files: now(files=tuple(files[1:]))),
    DIGEST.filter(A.__ne__).map(
        lambda digest: now(files=(LockedFile(id="words", sha256=digest, size=1), KNOWN.files[1]))
    ),
    TEXT.map(lambda text: now(files=(*KNOWN.files, LockedFile(id=f"new {text}", sha256=A)))),
)


def test_a_lock_answers_what_it_was_made_of() -> None:
    found = differences(LOCK, NOW, PLATFORMS)
    assert (found.words, found.interpreters, found.payload) == ((), frozenset(), frozenset())


@settings(max_examples=150, deadline=None)
@given(CHANGES)
def test_any_single_change_of_an_input_is_noticed(changed: CurrentInputs) -> None:
    assert differences(LOCK, changed, PLATFORMS).words


@given(st.sampled_from(["musl-linux-x86_64", "windows-aarch64"]))
def test_another_platform_is_noticed_and_is_all_that_is_asked_for(platform: str) -> None:
    here = (*HERE, locked("host", platform, HOST))
    launcher = find_platform(platform).launcher
    found = differences(LOCK, now(interpreters=here), (*PLATFORMS, platform))
    assert found.interpreters == {("cpython", platform), ("host", platform)}
    assert found.payload == {platform}
    assert found.words == (
        f"the interpreter cpython is not locked for {platform}",
        f"the interpreter host is not locked for {platform}",
        f"the payload is not locked for {platform}",
        *(() if launcher in PLATFORMS else (f"the launcher for {launcher} is not locked",)),
    )


def test_without_a_lock_everything_is_asked_for() -> None:
    found = differences(None, NOW, PLATFORMS)
    assert found.words == ("there is no lock yet",)
    assert found.interpreters == {(name, platform) for name in ("cpython", "host") for platform in PLATFORMS}
    assert found.payload == set(PLATFORMS)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            with_interpreter(msgspec.structs.replace(CPYTHON, version="3.14")),
            ['lift.interpreters.cpython.version was "3.13" and is "3.14"'],
        ),
        (
            with_payload(msgspec.structs.replace(PAYLOAD, requirements=("cow",), glibc=None)),
            [
                'lift.payload.requirements was ["cow", "calf"] and is ["cow"]',
                'lift.payload.glibc was "2.28" and is not there',
            ],
        ),
        (
            with_payload(msgspec.structs.replace(PAYLOAD, no_index=True, sources={"calf": "../calf"})),
            [
                "lift.payload.no_index was not there and is true",
                'lift.payload.sources was not there and is { calf = "../calf" }',
            ],
        ),
        (
            with_local(msgspec.structs.replace(HERE[0], sha256=B)),
            ["the interpreter host of this machine changed"],
        ),
        (now(files=KNOWN.files[:1]), ["the file cows is gone"]),
        (now(created_by="czscie 2"), ["it was written by czscie 1, this is czscie 2"]),
        (now(libc=None), ["no C library is bundled any more"]),
        (now(libc=LockedLibc(table=B)), ["the table of C library packages changed"]),
    ],
    ids=["version", "requirements", "indexes", "host", "file", "czscie", "no libc", "other libc"],
)
def test_what_has_changed_is_told_in_words(changed: CurrentInputs, words: list[str]) -> None:
    assert list(differences(LOCK, changed, PLATFORMS).words) == words


def test_a_c_library_that_is_added_is_told_so() -> None:
    without = msgspec.structs.replace(LOCK, libc=None)
    assert differences(without, NOW, PLATFORMS).words == ("a C library is bundled now",)


def test_an_interpreter_of_another_version_has_its_payload_resolved_again() -> None:
    newer = with_interpreter(msgspec.structs.replace(CPYTHON, version="3.14"))
    assert differences(LOCK, newer, PLATFORMS).payload == set(PLATFORMS)

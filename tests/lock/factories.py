"""Locks of all shapes, for tests."""

from __future__ import annotations

from hypothesis import strategies as st

from czscie.lock.lock import (
    Hashes,
    Lock,
    LockedDirectory,
    LockedFile,
    LockedInterpreter,
    LockedLauncher,
    LockedLaunchers,
    LockedPackage,
    LockedPayload,
    LockedWheel,
    PackageNotes,
    PackageTools,
    RequestedInterpreter,
    RequestedLift,
    RequestedPayload,
    Sdist,
)

#: What TOML can say: all of Unicode but surrogates.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
VERSIONS = st.from_regex(r"3\.[0-9]{1,2}\.[0-9]{1,2}(rc1|\+)?(t|-pypy7\.3\.[0-9]{1,2})?", fullmatch=True)
SIZES = st.none() | st.integers(0, 2**40)
MAYBE = st.none() | TEXTS
HASHES = st.builds(Hashes, sha256=DIGESTS)
TUPLES = st.lists(TEXTS, max_size=3).map(tuple)

WHEELS = st.builds(LockedWheel, name=NAMES, url=MAYBE, path=MAYBE, size=SIZES, hashes=HASHES)
PACKAGES = st.builds(
    LockedPackage,
    name=NAMES,
    version=NAMES,
    wheels=st.lists(WHEELS, max_size=3).map(tuple),
    sdist=st.none() | st.builds(Sdist, name=NAMES, url=MAYBE, path=MAYBE, size=SIZES, hashes=HASHES),
    directory=st.none() | st.builds(LockedDirectory, path=NAMES),
    tool=st.none()
    | st.builds(
        PackageTools,
        czscie=st.builds(PackageNotes, platforms=TUPLES, built=st.lists(WHEELS, max_size=2).map(tuple)),
    ),
)
LAUNCHERS = st.builds(LockedLauncher, name=NAMES, sha256=DIGESTS, size=st.integers(0, 2**40))
INTERPRETERS = st.builds(
    LockedInterpreter,
    id=NAMES,
    platform=NAMES,
    provider=NAMES,
    version=VERSIONS,
    release=MAYBE,
    flavor=MAYBE,
    name=MAYBE,
    url=MAYBE,
    sha256=DIGESTS,
    size=SIZES,
    helper=st.booleans(),
    attested=MAYBE,
)
QUESTIONS = st.builds(
    RequestedLift,
    interpreters=st.dictionaries(
        TEXTS,
        st.builds(
            RequestedInterpreter, provider=NAMES, version=MAYBE, release=MAYBE, flavor=MAYBE, path=MAYBE
        ),
        max_size=2,
    ),
    payload=st.none()
    | st.builds(
        RequestedPayload,
        pex=MAYBE,
        requirements=st.none() | TUPLES,
        project=MAYBE,
        requires=st.none() | TUPLES,
        interpreter=MAYBE,
        glibc=MAYBE,
    ),
)
LOCKS = st.builds(
    Lock,
    created_by=NAMES,
    libraries=st.dictionaries(TEXTS, NAMES, max_size=3),
    launcher=st.builds(
        LockedLaunchers,
        source=DIGESTS,
        binaries=st.lists(LAUNCHERS, max_size=3, unique_by=lambda each: each.name).map(tuple),
    ),
    manifest=QUESTIONS,
    interpreters=st.lists(INTERPRETERS, max_size=3).map(tuple),
    files=st.lists(st.builds(LockedFile, id=NAMES, sha256=DIGESTS, size=SIZES), max_size=3).map(tuple),
    provisions=st.lists(PACKAGES, max_size=2).map(tuple),
    payload=st.none() | st.builds(LockedPayload, sha256=st.none() | DIGESTS, platforms=TUPLES),
    packages=st.lists(PACKAGES, max_size=3).map(tuple),
)

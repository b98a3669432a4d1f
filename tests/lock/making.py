"""Locks of all shapes, for tests."""

from __future__ import annotations

from hypothesis import strategies as st

from czscie.lock.lock import (
    Directory,
    Hashes,
    Launcher,
    Lock,
    LockedFile,
    LockedInterpreter,
    LockedPackage,
    LockedPayload,
    LockedWheel,
    PackageNotes,
    PackageTools,
    Sdist,
    Vcs,
)

#: What TOML can say: all of Unicode but surrogates.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
SIZES = st.none() | st.integers(0, 2**40)
MAYBE = st.none() | TEXTS
HASHES = st.builds(Hashes, sha256=DIGESTS)
ASKED = TEXTS | st.integers(-(2**40), 2**40) | st.booleans() | st.lists(TEXTS, max_size=3).map(tuple)
TUPLES = st.lists(TEXTS, max_size=3).map(tuple)

WHEELS = st.builds(LockedWheel, name=NAMES, url=MAYBE, path=MAYBE, size=SIZES, hashes=HASHES)
PACKAGES = st.builds(
    LockedPackage,
    name=NAMES,
    version=NAMES,
    wheels=st.lists(WHEELS, max_size=3).map(tuple),
    sdist=st.none() | st.builds(Sdist, name=NAMES, url=MAYBE, path=MAYBE, size=SIZES, hashes=HASHES),
    directory=st.none() | st.builds(Directory, path=NAMES),
    vcs=st.none() | st.builds(Vcs, type=NAMES, url=NAMES, commit_id=NAMES),
    tool=st.builds(
        PackageTools,
        czscie=st.builds(PackageNotes, platforms=TUPLES, built=st.lists(WHEELS, max_size=2).map(tuple)),
    ),
)
INTERPRETERS = st.builds(
    LockedInterpreter,
    id=NAMES,
    platform=NAMES,
    provider=NAMES,
    version=NAMES,
    release=MAYBE,
    flavor=MAYBE,
    url=MAYBE,
    path=MAYBE,
    sha256=DIGESTS,
    size=SIZES,
    attested=MAYBE,
)
LOCKS = st.builds(
    Lock,
    created_by=NAMES,
    launcher=st.builds(Launcher, source=DIGESTS),
    manifest=st.dictionaries(
        TEXTS, TEXTS | st.integers(-(2**40), 2**40) | st.booleans() | TUPLES, max_size=5
    ),
    interpreters=st.lists(INTERPRETERS, max_size=3).map(tuple),
    files=st.lists(st.builds(LockedFile, id=NAMES, sha256=DIGESTS, size=SIZES), max_size=3).map(tuple),
    payload=st.none() | st.builds(LockedPayload, sha256=st.none() | DIGESTS, platforms=TUPLES),
    packages=st.lists(PACKAGES, max_size=3).map(tuple),
)

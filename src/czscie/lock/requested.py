"""The keys of a manifest that its lock resolves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec

from czscie.lift.interpreter import Interpreter
from czscie.lift.lift import Lift
from czscie.lift.payload import Payload
from czscie.lift.problem import quoted
from czscie.lock.lock import RequestedInterpreter, RequestedLift, RequestedPayload
from czscie.lock.uv_settings import indexes_of, local_sources
from czscie.network.url import is_file, without_secrets

#: User, password and query of a URL in a requirement.
_SECRETS = re.compile(r"(?<=://)[^/@\s]*@|\?[^#\s]*")


def requested_by(lift: Lift, requires: tuple[str, ...] | None = None) -> RequestedLift:
    """The keys of `lift`; `requires` are the requirements in its project or script."""
    directory = lift.path.parent.absolute()
    return RequestedLift(
        interpreters={each.id: _of_interpreter(each, directory) for each in lift.interpreters},
        payload=None if lift.payload is None else _of_payload(lift.payload, requires, directory),
    )


def relative(path: Path, directory: Path) -> str:
    """`path` as a lock of the manifest in `directory` stores it: relative if possible, with `/`."""
    try:
        return Path(os.path.relpath(path, directory)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _of_interpreter(interpreter: Interpreter, directory: Path) -> RequestedInterpreter:
    asked = {
        key: relative(value, directory) if isinstance(value, Path) else value
        for key, value in interpreter.asked.items()
    }
    return RequestedInterpreter(provider=interpreter.PROVIDER, **asked)


def _of_payload(payload: Payload, requires: tuple[str, ...] | None, directory: Path) -> RequestedPayload:
    def path(value: Path | None) -> str | None:
        return None if value is None else relative(value, directory)

    requirements, indexes = payload.requirements, indexes_of(payload)
    sources = {} if payload.project is None else local_sources(payload.project)
    return RequestedPayload(
        pex=path(payload.pex),
        requirements=None if requirements is None else tuple(_SECRETS.sub("", each) for each in requirements),
        project=path(payload.project),
        script=path(payload.script),
        lock=path(payload.lock),
        requires=requires,
        interpreter=None if payload.pex is not None else payload.interpreter,
        glibc=None if payload.glibc is None else ".".join(map(str, payload.glibc)),
        extras=payload.extras or None,
        groups=payload.groups or None,
        find_links=tuple(_link(each, directory) for each in indexes.find_links) or None,
        index=None if indexes.index is None else without_secrets(indexes.index),
        extra_index=tuple(map(without_secrets, indexes.extra_index)) or None,
        no_index=indexes.no_index or None,
        sources={name: relative(each, directory) for name, each in sorted(sources.items())} or None,
    )


def _link(url: str, directory: Path) -> str:
    """A directory as a path, and any other URL without what may be a password."""
    return (
        relative(Path(url2pathname(urlsplit(url).path)), directory) if is_file(url) else without_secrets(url)
    )


def changed_keys(before: RequestedLift, now: RequestedLift) -> Iterator[str]:
    """A line for each key of the manifest that changed."""
    for identifier in sorted({*before.interpreters, *now.interpreters}):
        found = (question.interpreters.get(identifier) for question in (before, now))
        yield from _changed(f"lift.interpreters.{identifier}", *found)
    yield from _changed("lift.payload", before.payload, now.payload)


def _changed(where: str, before: msgspec.Struct | None, now: msgspec.Struct | None) -> Iterator[str]:
    if before is None or now is None:
        if before is not now:
            yield f"{where} is {'new' if before is None else 'gone'}"
        return
    for key in before.__struct_fields__:
        was, is_now = getattr(before, key), getattr(now, key)
        if was != is_now:
            yield f"{where}.{key} was {_text(was)} and is {_text(is_now)}"


def _text(value: str | bool | tuple[str, ...] | dict[str, str] | None) -> str:
    """A value as a manifest would have it."""
    if value is None:
        return "not there"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {quoted(each)}' for name, each in value.items())} }}"
    return quoted(value) if isinstance(value, str) else f"[{', '.join(map(quoted, value))}]"

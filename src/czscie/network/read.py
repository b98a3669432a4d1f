"""Reads a small file, such as an index, whole."""

from __future__ import annotations

from dataclasses import replace

from czscie.errors import CzscieError
from czscie.network.client import Client, NotFound, RangeRefused
from czscie.network.retry import Failure, Transient, Watch, persevere
from czscie.network.url import without_secrets
from czscie.progress import Progress


def read_small(
    client: Client,
    url: str,
    failure: Failure,
    largest: int,
    progress: Progress,
    attempts: int | None = None,
) -> bytes | None:
    """The file at `url`, None when there is none.

    Raises Unreachable, which says `failure`, when it cannot be had with `attempts` of the client's patience
    or fewer; CzscieError when it has more than `largest` bytes or comes compressed, as it was not asked for.
    """
    shown = without_secrets(url)
    patience = client.network.patience
    patience = replace(patience, attempts=min(patience.attempts, attempts or patience.attempts))
    watch = Watch.of(patience)
    tried: list[str] = []

    def attempt() -> bytes | None:
        data = b""
        tried[:] = [shown]
        try:
            with client.open(url, watch) as body:
                if body.encoding not in ("", "identity"):
                    # It may unpack to anything.
                    raise CzscieError(
                        f"{shown} comes compressed, which czscie did not ask for",
                        why=f"the server sent Content-Encoding: {body.encoding[:40]}",
                    )
                for chunk in body.chunks:
                    data += chunk
                    if len(data) > largest:
                        raise CzscieError(f"{shown} is too large", why=f"it is larger than {largest} bytes")
        except NotFound:
            return None
        except RangeRefused as refused:
            raise Transient("the server answered with a part of the file") from refused
        except Transient as problem:
            tried[:] = [f"{shown}: {problem.cause}"]
            raise
        return data

    return persevere(attempt, failure, tried, patience, watch, progress)

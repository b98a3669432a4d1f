"""Reads small files, such as indexes, whole."""

from __future__ import annotations

from dataclasses import replace

from czscie.errors import Code, CzscieError
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
    """The file at `url`, None if it does not exist.

    Raises Unreachable, with `what` and `hint`, when it is unavailable after `attempts`, at most the client's
    patience; CzscieError when it has more than `largest` bytes or the server compresses it without being
    asked to.
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
                    # Its unpacked size is unknown.
                    raise CzscieError(
                        f"the server compressed {shown} although czscie did not ask for it",
                        code=Code.CONTENT_WRONG,
                        why=f"the server sent Content-Encoding: {body.encoding[:40]}",
                    )
                for chunk in body.chunks:
                    data += chunk
                    if len(data) > largest:
                        raise CzscieError(
                            f"{shown} is too large",
                            code=Code.CONTENT_WRONG,
                            why=f"it is larger than {largest} bytes",
                        )
        except NotFound:
            return None
        except RangeRefused as refused:
            raise Transient("the server returned a part of the file") from refused
        except Transient as problem:
            tried[:] = [f"{shown}: {problem.cause}"]
            raise
        return data

    return persevere(attempt, failure, tried, patience, watch, progress)

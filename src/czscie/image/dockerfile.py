"""A Dockerfile that builds an image from the output of `czscie build`, for users with Dockerfiles of their
own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from czscie.errors import Code, CzscieError
from czscie.lift.lift import Lift

_LABELS = "org.opencontainers.image."


def dockerfile(lift: Lift) -> str:
    """The text of a Dockerfile. Raises CzscieError when executables cannot install themselves."""
    if not lift.tools:
        raise CzscieError(
            "executables of this lift cannot install themselves",
            code=Code.UNSUPPORTED,
            why='lift.tools is "", so they have no tools',
            hint="build the image with czscie: czscie image",
        )
    return "".join(f"{line}\n" for line in _lines(lift))


def _lines(lift: Lift) -> Iterator[str]:
    settings = lift.image
    directory = settings.directory
    executables = f"{directory}/bin"
    # With several platforms there are several files, called by what uname tells.
    several = len(lift.platforms) > 1
    sources = f"dist/{lift.name}{'-linux-*' if several else ''}"
    file = f"/build/{lift.name}{'-linux-$(uname -m)' if several else ''}"
    yield f"# Copies from dist: run czscie build {lift.path.name} -o dist"
    yield "ARG BASE=debian:stable-slim"
    yield ""
    yield "FROM ${BASE} AS build"
    yield f"COPY {json.dumps([sources, '/build/'])}"
    yield f'RUN {lift.tools}=install "{file}" {directory}'
    yield ""
    yield "FROM ${BASE}"
    yield f"COPY --from=build {directory}/interpreters {directory}/interpreters"
    if lift.files:
        yield f"COPY --from=build {directory}/files {directory}/files"
    yield f"COPY --from=build {directory}/czscie-installation {directory}/"
    yield f"COPY --from=build {directory}/bin {directory}/bin"
    if lift.payload is not None:
        yield f"COPY --from=build {directory}/apps {directory}/apps"
    labels = {f"{_LABELS}title": lift.name}
    if lift.description is not None:
        labels[f"{_LABELS}description"] = lift.description
    for name, value in {**labels, **settings.labels}.items():
        yield f"LABEL {json.dumps(name)}={_quoted(value)}"
    yield f"ENV PATH={executables}:$PATH"
    for name, value in settings.env.items():
        yield f"ENV {name}={_quoted(value)}"
    yield f"USER {settings.user}"
    command = next((each.name for each in lift.commands), lift.name) if lift.payload is None else lift.name
    yield f"ENTRYPOINT {json.dumps([f'{executables}/{command or lift.name}'])}"


def _quoted(value: str) -> str:
    """A value in which nothing is expanded."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'

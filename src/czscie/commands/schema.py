"""`czscie schema`."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer


class _Form(str, Enum):
    TOML = "toml"
    JSON = "json"


def schema(
    form: Annotated[
        _Form, typer.Argument(help="The form of the manifest: lift.toml, or science's lift.json.")
    ] = _Form.TOML,
) -> None:
    """Print the JSON Schema of lift manifests, for editors.

    `czscie schema > lift.schema.json`, and `#:schema ./lift.schema.json` as the first line of lift.toml.
    """
    from czscie.console import write_json
    from czscie.schema.schema import json_schema, toml_schema

    write_json(toml_schema() if form is _Form.TOML else json_schema())

"""`czscie schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from czscie.commands import candidates
from czscie.commands.options import check_among


def schema(
    form: Annotated[
        str,
        typer.Argument(
            help="The form of the manifest: toml for lift.toml, json for science's lift.json.",
            autocompletion=candidates.forms,
        ),
    ] = "toml",
) -> None:
    """Print the JSON Schema of lift manifests, for editors.

    `czscie schema > lift.schema.json`, and `#:schema ./lift.schema.json` as the first line of lift.toml.
    """
    from czscie.console import write_json
    from czscie.schema.schema import json_schema, toml_schema

    check_among(form, candidates.FORMS)
    write_json(toml_schema() if form == "toml" else json_schema())

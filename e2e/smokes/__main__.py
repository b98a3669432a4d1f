"""Smoke tests of real packages, run by the Python of a scie: `python smokes DISTRIBUTION`.

Prints what the package did and what can be found out about it, as JSON. Two installations of the same
distribution print the same: nothing of it depends on where they are.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys

import compiled_smokes
import survey
import tool_smokes
import web_smokes


def main() -> None:
    distribution = sys.argv[1]
    name = distribution.lower().replace("-", "_").replace(".", "_")
    smokes = (web_smokes, tool_smokes, compiled_smokes)
    (smoke,) = (found for module in smokes if (found := getattr(module, name, None)) is not None)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        report = {"smoke": smoke(), **survey.survey(distribution)}
    text = json.dumps({**report, "printed": printed.getvalue()}, indent=1, default=str)
    text = re.sub(r"/tmp/tmp\w{8}", "{temporary}", text)
    for name, prefix in ("prefix", sys.prefix), ("base", sys.base_prefix):
        text = text.replace(prefix, f"{{{name}}}")
    print(text)


if __name__ == "__main__":  # workers import it
    main()

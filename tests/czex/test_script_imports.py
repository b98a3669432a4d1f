from __future__ import annotations

import pytest

from czscie.czex.script_imports import missing_imports


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("import waitress", ("waitress",)),
        (
            "import os.path, yaml.nodes as nodes\nfrom waitress.server import x\nimport yaml",
            ("yaml", "waitress"),
        ),
        ("import cow\nfrom cow.say import moo", ()),
        ("import json, tomllib, distutils, __future__", ()),
        ("from . import x\nfrom .herd import y", ()),
        ("try:\n    import yaml\nexcept ImportError:\n    yaml = None", ()),
        ("import sys\nif sys.platform == 'win32':\n    import win32api", ()),
        ("def main():\n    import yaml", ()),
        ("import yaml\nthis is no Python", ()),
    ],
)
def test_what_must_be_there_and_is_not(source: str, missing: tuple[str, ...]) -> None:
    assert missing_imports(source, {"cow"}) == missing

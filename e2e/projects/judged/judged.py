"""Imports every module of the distributions that are named, and prints what each import comes to, as JSON."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import json
import sys
import warnings
from pathlib import Path


def outcome(name: str) -> str:
    try:
        importlib.import_module(name)
    except BaseException as error:
        return type(error).__name__
    return "imported"


def of(distribution: str) -> dict[str, object]:
    files = importlib.metadata.distribution(distribution).files or []
    modules = [
        str(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in files
        if file.suffix == ".py" and not {"tests", "test"} & set(file.parts) and file.stem != "__main__"
    ]
    return {
        "outcomes": {name: outcome(name) for name in sorted(modules)},
        "missing": sum(not Path(str(file.locate())).exists() for file in files if file.suffix == ".py"),
    }


def uses() -> dict[str, object]:
    """What looks at files, used."""
    import dotenv
    import numpy
    import numpy.f2py
    import pandas
    import pyarrow
    import pytz
    from starlette.staticfiles import StaticFiles

    Path(".env").write_text("A=1\n")
    frame = pandas.DataFrame({"a": [1, 2]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pandas.to_datetime(["2024-01-01", "x"], errors="coerce", format=None)
    return {
        "include": sorted(file.name for file in Path(numpy.get_include(), "numpy").iterdir()),
        "f2py": Path(numpy.f2py.get_include(), "fortranobject.c").is_file(),
        "style": frame.style.set_uuid("x").to_html(),
        "query": int(frame.query("a > @limit", local_dict={"limit": 1}).a.sum()),
        "warned": [(str(one.message), Path(one.filename).name) for one in caught],
        "libraries": [Path(directory).is_dir() for directory in pyarrow.get_library_dirs()],
        "zones": len(pytz.all_timezones),
        "dotenv": dotenv.find_dotenv(usecwd=True) == str(Path(".env").absolute()),
        "statics": len(StaticFiles(packages=[("pandas", "io/formats/templates")]).all_directories),
    }


def main() -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        sys.argv[1:], names = [], sys.argv[1:]
        told = {"uses": uses(), **{name: of(name) for name in names}}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

"""Run by the tests in a real CPython, packed or not: what a program can learn of its modules.

Prints JSON. Where a path names the interpreter's own tree, the tree's name is left out.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import io
import json
import linecache
import multiprocessing
import os
import pkgutil
import re
import runpy
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
import zipfile
from pathlib import Path

ROOT = str(Path(sys.executable).parent.parent)

#: Packages and modules, some of which CPython has frozen or built in.
MODULES = (
    *("json", "json.decoder", "email", "email.mime", "email.mime.text", "concurrent.futures.thread"),
    *("os", "abc", "io", "runpy", "importlib", "importlib.util", "importlib._bootstrap", "encodings.utf_8"),
    *("linecache", "pkgutil", "inspect", "asyncio.events", "xml.etree.ElementTree", "sqlite3.dbapi2"),
    *("ctypes.util", "logging.handlers", "unittest.mock", "urllib.parse", "wsgiref.simple_server"),
    *("zoneinfo", "venv", "sys", "math", "_json", "__future__", "antigravity", "lzma", "re"),
)
_SKIPPED = {"antigravity"}  # opens a browser


def attributes(name: str) -> dict[str, object]:
    """What a module says of itself."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    facts: dict[str, object] = {
        "origin": spec.origin,
        "has_location": spec.has_location,
        "cached": spec.cached,
        "parent": spec.parent,
        "locations": None
        if spec.submodule_search_locations is None
        else list(spec.submodule_search_locations),
        "source loader": isinstance(spec.loader, importlib.machinery.SourceFileLoader),
        "loader abc": isinstance(spec.loader, importlib.abc.SourceLoader),
    }
    if name not in _SKIPPED:
        module = importlib.import_module(name)
        for key in ("__file__", "__cached__", "__package__", "__name__", "__doc__"):
            facts[key] = getattr(module, key, "absent")
        facts["__path__"] = list(getattr(module, "__path__", ()))
        facts["loader"] = module.__loader__ is module.__spec__.loader
        facts["names"] = sorted(vars(module))
    return facts


def loaded(name: str) -> dict[str, object]:
    """What the loader of a module answers."""
    loader = importlib.util.find_spec(name).loader  # type: ignore[union-attr]
    if not isinstance(loader, importlib.machinery.SourceFileLoader):
        return {}
    path = loader.get_filename(name)
    code = loader.get_code(name)
    return {
        "path": [path, loader.path, loader.name],
        "package": loader.is_package(name),
        "source": loader.get_source(name),
        "data": len(loader.get_data(path)),
        "code": [code.co_filename, code.co_name, code.co_firstlineno, len(code.co_code), code.co_names],
        "inner": sorted({const.co_filename for const in code.co_consts if hasattr(const, "co_filename")}),
        "equal": loader == importlib.util.find_spec(name).loader,  # type: ignore[union-attr]
    }


def importing() -> dict[str, object]:
    """What `importlib` does with them."""
    import json.decoder

    before = json.decoder
    reloaded = importlib.reload(json.decoder)
    importlib.invalidate_caches()
    lazy_spec = importlib.util.find_spec("colorsys")
    assert lazy_spec is not None and lazy_spec.loader is not None
    lazy_spec.loader = importlib.util.LazyLoader(lazy_spec.loader)
    lazy = importlib.util.module_from_spec(lazy_spec)
    sys.modules["colorsys"] = lazy
    lazy_spec.loader.exec_module(lazy)
    sys.path_importer_cache.clear()
    missing = []
    for name in ("json.nothing", "nothing", "email.mime.nothing", "json.decoder.nothing"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append([type(error).__name__, str(error), error.name, error.path])
    return {
        "reload": before is reloaded,
        "lazy": inspect.isfunction(lazy.rgb_to_hls),
        "after clearing": importlib.import_module("wsgiref.headers").__file__,
        "missing": missing,
        "pathlike": [repr(finder)[:13] for finder in map(pkgutil.get_importer, [Path("/nowhere")])],
    }


def listed() -> dict[str, object]:
    """What `pkgutil` lists and finds."""
    json = importlib.import_module("json")
    importers = pkgutil.walk_packages(importlib.import_module("email").__path__, "email.")
    return {
        "all": sorted((m.name, m.ispkg) for m in pkgutil.iter_modules() if not m.name.startswith("_czscie")),
        "json": [(m.name, m.ispkg) for m in pkgutil.iter_modules(json.__path__, "x.")],
        "email": [(m.name, m.ispkg) for m in importers],
        "data": len(pkgutil.get_data("json", "decoder.py") or b""),
        "activate": len(pkgutil.get_data("venv", "scripts/common/activate") or b""),
        "resolved": str(pkgutil.resolve_name("json.decoder:JSONDecoder.decode").__qualname__),
        "extended": pkgutil.extend_path([], "nothing"),
    }


def resources() -> dict[str, object]:
    """What `importlib.resources` shows."""
    facts: dict[str, object] = {}
    for name in ("json", "email", "email.mime", "venv", "importlib", "ctypes"):
        root = importlib.resources.files(name)
        facts[name] = sorted(each.name for each in root.iterdir() if each.name != "__pycache__")
        init = root.joinpath("__init__.py")
        with importlib.resources.as_file(init) as path:
            facts[f"{name} init"] = [
                init.is_file(),
                init.is_dir(),
                (root / "nothing").is_file(),
                len(init.read_bytes()),
                init.read_text(encoding="utf-8")[:40],
                len(path.read_bytes()),
                root.is_dir(),
                root.name,
            ]
        with init.open("r", encoding="utf-8") as text, init.open("rb") as data:
            facts[f"{name} opened"] = [text.readline(), len(data.read())]
    facts["deep"] = importlib.resources.files("email").joinpath("mime", "text.py").is_file()
    facts["script"] = (importlib.resources.files("venv") / "scripts" / "common" / "activate").read_text()[:30]
    if sys.version_info < (3, 13) or sys.version_info >= (3, 14):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            facts["old"] = [
                importlib.resources.is_resource("json", "decoder.py"),
                len(importlib.resources.read_text("json", "decoder.py")),
            ]
    return facts


def inspected() -> dict[str, object]:
    """What `inspect`, `linecache` and tracebacks show of the sources."""
    import json.decoder

    lines, start = inspect.findsource(json.decoder.JSONDecoder)
    try:
        json.loads("{")
    except ValueError:
        printed = traceback.format_exc()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn_explicit("careful", UserWarning, json.decoder.__file__, 10)
    linecache.checkcache()
    stack = inspect.getframeinfo(inspect.currentframe())  # type: ignore[arg-type]
    return {
        "source": inspect.getsource(json.decoder),
        "method": inspect.getsource(json.decoder.JSONDecoder.decode),
        "file": [inspect.getfile(json.decoder.scanner), inspect.getsourcefile(json.loads)],
        "module": str(inspect.getmodule(json.decoder.JSONDecoder.decode)),
        "found": [len(lines), start],
        "comments": inspect.getcomments(json.decoder.JSONDecodeError),
        "signature": str(inspect.signature(json.loads)),
        "traceback": printed,
        "warning": warnings.formatwarning(
            caught[0].message, caught[0].category, caught[0].filename, caught[0].lineno
        ),
        "line": linecache.getline(json.decoder.__file__, 3),
        "frame": stack.function,
    }


def ran(directory: Path) -> dict[str, object]:
    """What `runpy` does, and modules of other kinds beside the packed ones."""
    archive = directory / "archive.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("zipped.py", "import json.tool\nVALUE = json.tool.__name__\n")
        zipped.writestr("__main__.py", "import zipped\nRESULT = zipped.VALUE\n")
    sys.path.insert(0, str(archive))
    program = directory / "program"
    program.mkdir()
    (program / "__main__.py").write_text("import email.mime\nRESULT = email.mime.__name__\n")
    for part in ("one", "two"):
        (directory / part / "spread").mkdir(parents=True)
        (directory / part / "spread" / f"{part}.py").write_text(f"import json\nNAME = {part!r}\n")
        sys.path.append(str(directory / part))
    spread = importlib.import_module("spread")
    return {
        "module": sorted(runpy.run_module("json.scanner"))[:5],
        "zip": runpy.run_path(str(archive))["RESULT"],
        "zipped": importlib.import_module("zipped").__loader__.__class__.__name__,
        "directory": runpy.run_path(str(program))["RESULT"],
        "namespace": [
            len(spread.__path__),
            [importlib.import_module(f"spread.{p}").NAME for p in ("one", "two")],
        ],
    }


def square(number: int) -> int:
    return number * number


def in_processes(directory: Path) -> dict[str, object]:
    """What other processes of the same interpreter find, however they are started."""
    facts: dict[str, object] = {}
    for method in ("spawn", "forkserver", "fork"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            facts[method] = pool.map(square, [1, 2, 3])
    tool = [sys.executable, "-I", "-m", "json.tool"]
    facts["-m"] = subprocess.check_output(tool, input=b'{"a": [1]}').decode()
    importing = "import json.decoder, email.mime.text; print(json.decoder.__file__)"
    daemon = "import os; os.closerange(0, 256); import json.decoder, email.mime.text; os._exit(7)"
    replaced = f"import os, sys; os.execv(sys.executable, [sys.executable, '-I', '-c', {importing!r}])"
    for name, command in {"child": importing, "replaced": replaced}.items():
        facts[name] = subprocess.check_output([sys.executable, "-I", "-c", command]).decode()
    facts["daemon"] = subprocess.run([sys.executable, "-I", "-c", daemon]).returncode
    environment = directory / "environment"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    facts["venv"] = subprocess.check_output([python, "-I", "-c", importing]).decode()
    importing_elsewhere = f"import os; os.chdir({str(directory)!r}); {importing}"
    relative = {**os.environ, "PYTHONHOME": os.path.relpath(ROOT, directory)}
    facts["relative"] = Path(
        subprocess.check_output([sys.executable, "-c", importing_elsewhere], env=relative, cwd=directory)
        .decode()
        .strip()
    ).name
    link = directory / Path(json.__file__).parent.parent.name
    link.symlink_to(Path(json.__file__).parent.parent)
    linked = f"import sys; sys.path.insert(0, {str(link) + '/'!r}); {importing}"
    facts["linked"] = subprocess.check_output([sys.executable, "-I", "-c", linked]).decode()
    return facts


def in_threads() -> list[str]:
    """Modules imported at once by many threads, with forks between."""
    names = ["asyncio", "xmlrpc.client", "http.server", "html.parser", "csv", "plistlib", "imaplib", "ftplib"]
    failed: list[str] = []

    def load(name: str) -> None:
        try:
            assert importlib.import_module(name).__spec__ is not None
            assert inspect.getsource(importlib.import_module(name))
        except Exception:
            failed.append(traceback.format_exc())

    threads = [threading.Thread(target=load, args=(name,)) for name in names * 2]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            child = os.fork()
        if child == 0:
            importlib.import_module("wsgiref.handlers")
            os._exit(0)
        children.append(child)
    for thread in threads:
        thread.join()
    return failed + [
        f"child: {status}" for status in (os.waitpid(child, 0)[1] for child in children) if status
    ]


def uncaught() -> str:
    """What CPython prints of exceptions that nobody catches: in a thread, in `__del__`, at the end."""
    program = """
import json, threading
thread = threading.Thread(target=lambda: json.loads("{"), name="T")
thread.start(); thread.join()
class Falling:
    def __del__(self): json.loads("[")
    __repr__ = lambda self: "it"
falling = Falling(); del falling
json.loads("")
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], stderr=subprocess.PIPE, text=True)
    return re.sub("0x[0-9a-f]+", "0x", done.stderr)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        facts = {
            "attributes": {name: attributes(name) for name in MODULES},
            "loaded": {name: loaded(name) for name in MODULES},
            "importing": importing(),
            "listed": listed(),
            "resources": resources() if sys.version_info >= (3, 10) else None,
            "inspected": inspected(),
            "ran": ran(directory),
            "path": sys.path,
            "hooks": [
                sys.excepthook is sys.__excepthook__,
                sys.unraisablehook is sys.__unraisablehook__,
                threading.excepthook is getattr(threading, "__excepthook__", threading.excepthook),
                io.open is open,
            ],
            "distributions": [each.metadata["Name"] for each in importlib.metadata.distributions()],
        }
        if "--processes" in sys.argv:
            facts |= {"processes": in_processes(directory), "threads": in_threads(), "uncaught": uncaught()}
        text = json.dumps(facts, default=str, indent=1).replace(str(directory), "DIRECTORY")
        print(text.replace(ROOT, "ROOT"))


if __name__ == "__main__":
    main()

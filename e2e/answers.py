"""Run in a CPython whose modules are files and in its twin whose modules are packed: answers questions.

`python answers.py` evaluates each question of QUESTIONS and prints a JSON object of the answers. Where a path names the
interpreter's own tree or the scratch directory, their names are left out.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = str(Path(sys.executable).parent.parent)

#: The modules that are packed in the one and files in the other.
MODULES = {
    "alone.py": '''\
"""A module on its own.

>>> double(2)
4
"""
import warnings

VALUE = "alone"


def double(number):
    """Twice the number.

    >>> double(3)
    6
    """
    return number * 2


def fail():
    raise LookupError("here")  # the line


def warn(level=1):
    warnings.warn("careful", UserWarning, stacklevel=level)


class Thing:
    """A thing."""

    def method(self):
        return lambda: None


if __name__ == "__main__":
    import sys

    print("alone runs", sys.argv[1:], __file__, __spec__ and __spec__.name)
''',
    "outer/__init__.py": 'from . import inner\nVALUE = "outer"\n',
    "outer/__main__.py": 'import sys\nprint("outer runs", sys.argv[0], __name__, __package__)\n',
    "outer/inner.py": 'VALUE = "inner"\n\n\ndef f(x):\n    return x\n',
    "outer/deep/__init__.py": "",
    "outer/deep/er.py": 'VALUE = "deeper"\nLATIN = "é"\n',
    "outer/test_it.py": "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_x(self):\n        pass\n",
    "outer/no_newline.py": "VALUE = 1",
    "outer/latin.py": "# -*- coding: latin-1 -*-\nVALUE = 'x'  # \u00e9\n",
    "space/one.py": 'VALUE = "one"\n',
    "space/sub/two.py": 'VALUE = "two"\n',
    "space/regular/__init__.py": 'VALUE = "regular"\n',
}
#: What is a file in both.
DATA = {
    "outer/data.txt": "data\n",
    "outer/notes/readme.txt": "notes\n",
    "outer/deep/table.csv": "1,2\n",
    "space/data.txt": "of the namespace\n",
    "mixed/__init__.py": "",
    "mixed/file.py": "VALUE = 1\n",
    "outer-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: outer\nVersion: 1.0\n",
    "outer-1.0.dist-info/entry_points.txt": "[console_scripts]\nouter = outer.inner:f\n",
    "outer-1.0.dist-info/top_level.txt": "outer\n",
    "outer-1.0.dist-info/RECORD": "".join(
        f"{path},,\n"
        for path in ("alone.py", "outer/__init__.py", "outer/inner.py", "outer/deep/er.py", "outer/data.txt")
    ),
}

_PREPARED = """
import importlib, importlib.machinery as machinery, importlib.util as util, os, sys, pathlib, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import alone, outer, outer.inner, outer.deep.er, space.one, space.sub.two, mixed
SITE = os.path.dirname(alone.__file__)
INNER = outer.inner.__file__
def spec_of(s):
    return [s.name, s.origin, s.has_location, s.submodule_search_locations and list(s.submodule_search_locations),
            s.cached, type(s.loader).__name__]
def load(loader, name="mine", path=None):
    spec = util.spec_from_loader(name, loader)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VALUE
"""

#: By what is asked, statements that set `answer`.
QUESTIONS: dict[str, str] = {}


def _ask(about: str, text: str) -> None:
    for number, line in enumerate(line for line in text.strip().split("\n;;\n") if line.strip()):
        statements = line.strip("\n")
        if "answer =" not in statements:
            *before, last = statements.split("\n")
            statements = "\n".join((*before, f"answer = {last}"))
        QUESTIONS[f"{about} {number}: {line.strip()[:70]}"] = statements


_ask(
    "specs",
    """
[spec_of(util.find_spec(n)) for n in ("alone", "outer", "outer.inner", "space", "space.one", "mixed")]
;;
[repr(m) for m in (alone, outer, outer.inner, outer.deep)]
;;
[type(m.__loader__) is machinery.SourceFileLoader for m in (alone, outer, mixed)]
;;
[repr(type(m.__loader__)) for m in (alone, outer, space, mixed)]
;;
[type(m.__loader__).__mro__ == machinery.SourceFileLoader.__mro__ for m in (alone, outer)]
;;
[vars(m.__loader__) for m in (alone, outer.inner)]
;;
spec_of(util.spec_from_file_location("x", INNER))
;;
spec_of(util.spec_from_file_location("x", outer.__file__, submodule_search_locations=[SITE + "/outer"]))
;;
[repr(importlib.machinery.PathFinder.find_spec(n)) for n in ("alone", "outer", "nothing")]
;;
repr(machinery.PathFinder.find_spec("inner", outer.__path__))
;;
[repr(f) for f in (sys.path_importer_cache[SITE], sys.path_importer_cache[outer.__path__[0]])]
;;
isinstance(sys.path_importer_cache[SITE], machinery.FileFinder)
""",
)
_ask(
    "pickling",
    """
import pickle
len(pickle.dumps(outer.inner.__loader__, 2)) < 300
;;
import pickle, copy
[pickle.loads(pickle.dumps(outer.inner.__loader__)) == outer.inner.__loader__, copy.copy(alone.__loader__) == alone.__loader__]
;;
import copy
copy.deepcopy(alone.__loader__).get_source("alone") == alone.__loader__.get_source("alone")
;;
import pickle
pickle.loads(pickle.dumps(alone.__spec__)).origin
;;
import re
re.sub("0x[0-9a-f]+", "", repr(alone.__loader__))
""",
)
_ask(
    "loaders",
    """
load(machinery.SourceFileLoader("mine", INNER))
;;
machinery.SourceFileLoader("mine", INNER).get_source("mine")
;;
machinery.SourceFileLoader("mine", INNER).get_code("mine").co_filename
;;
sorted(machinery.SourceFileLoader("mine", INNER).path_stats(INNER))
;;
machinery.SourceFileLoader("mine", INNER).path_stats(INNER)["size"]
;;
machinery.SourceFileLoader("mine", INNER).is_package("mine")
;;
s = util.spec_from_file_location("mine", INNER)
m = util.module_from_spec(s); s.loader.exec_module(m)
[m.VALUE, m.__file__, m.f(3)]
;;
class Loader(machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(bytes(data).replace(b"inner", b"changed"), path, _optimize=_optimize)
load(Loader("mine", INNER))
;;
class Loader(machinery.SourceFileLoader):
    def get_data(self, path):
        data = super().get_data(path)
        return data.replace(b"inner", b"other") if path.endswith(".py") else data
answer = load(Loader("mine", SITE + "/outer/deep/er.py")), Loader("mine", INNER).get_source("mine")
;;
class Loader(machinery.SourceFileLoader):
    def get_code(self, name):
        return compile("VALUE = 'own'", self.path, "exec")
load(Loader("mine", INNER))
;;
import importlib.abc
class Loader(importlib.abc.SourceLoader):
    def get_filename(self, name): return INNER
    def get_data(self, path): return outer.inner.__loader__.get_data(path)
load(Loader())
;;
f = machinery.FileFinder(SITE, (machinery.SourceFileLoader, [".py"]))
[spec_of(f.find_spec(n)) for n in ("alone", "outer", "mixed")] + [f.find_spec("nothing")]
;;
f = machinery.FileFinder(SITE + "/outer", (machinery.SourceFileLoader, [".py"]))
[spec_of(f.find_spec(n)) for n in ("x.inner", "x.deep")] + [list(f.find_spec("notes").submodule_search_locations)]
;;
f = machinery.FileFinder(SITE, (machinery.SourceFileLoader, [".py"]))
s = f.find_spec("space")
[s.loader, s.submodule_search_locations]
;;
hook = machinery.FileFinder.path_hook((machinery.SourceFileLoader, [".py"]))
[repr(hook(p)) for p in (SITE, SITE + "/outer", SITE + "/space/sub", SITE + "/outer/deep")]
;;
hook = machinery.FileFinder.path_hook((machinery.SourceFileLoader, [".py"]))
hook(SITE + "/nothing")
;;
class Loader(machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(bytes(data).replace(b"deeper", b"hooked"), path, _optimize=_optimize)
sys.path_hooks.insert(0, machinery.FileFinder.path_hook((Loader, [".py"])))
sys.path_importer_cache.clear()
for n in ("outer", "outer.inner", "outer.deep", "outer.deep.er"): sys.modules.pop(n)
import outer.deep.er as again
answer = again.VALUE
del sys.path_hooks[0]; sys.path_importer_cache.clear()
for n in ("outer", "outer.inner", "outer.deep", "outer.deep.er"): sys.modules.pop(n)
import outer.inner, outer.deep.er
;;
class Finder:
    def find_spec(self, name, path=None, target=None):
        spec = machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, machinery.SourceFileLoader) and name == "outer.deep.er":
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec
class Loader(machinery.SourceFileLoader):
    def exec_module(self, module):
        super().exec_module(module)
        module.VALUE += " and hooked"
sys.meta_path.insert(0, Finder())
sys.modules.pop("outer.deep.er")
import outer.deep.er as again
answer = again.VALUE
del sys.meta_path[0]
;;
import py_compile
load(machinery.SourcelessFileLoader("mine", util.cache_from_source(SITE + "/outer/no_newline.py")))
;;
import io
with io.open_code(INNER) as f: answer = f.read()
;;
exec(compile(__import__("io").open_code(INNER).read(), INNER, "exec"), d := {}) or d["VALUE"]
;;
import io
io.open_code(SITE + "/nothing.py")
;;
outer.inner.__loader__.get_data(SITE + "/nothing.py")
;;
outer.inner.__loader__.get_data(SITE + "/outer/data.txt")
;;
outer.inner.__loader__.get_data(SITE + "/outer/deep/er.py").decode()
;;
machinery.SourceFileLoader("x", SITE + "/nothing.py").get_code("x")
;;
util.decode_source(outer.inner.__loader__.get_data(INNER))
;;
import runpy
[runpy.run_path(INNER)["VALUE"], runpy.run_path(INNER)["__file__"], runpy.run_module("outer.inner")["__file__"]]
;;
import runpy
runpy.run_path(SITE + "/outer")["__name__"]
;;
import importlib, outer.inner
m = importlib.reload(outer.inner)
[m is outer.inner, m.__spec__.loader is m.__loader__]
;;
sys.modules.pop("outer.latin", None)
s = util.find_spec("outer.latin"); s.loader = util.LazyLoader(s.loader)
m = util.module_from_spec(s); sys.modules["outer.latin"] = m; s.loader.exec_module(m)
m.VALUE
;;
import zipimport
zipimport.zipimporter(INNER)
;;
alone.__loader__.load_module("alone") is alone
;;
alone.__loader__.get_code("outer")
""",
)
_ask(
    "old imp",
    """
import imp
f, path, what = imp.find_module("alone", [SITE])
text = f.read(); f.close()
answer = [path, what, text == alone.__loader__.get_source("alone"), f.encoding, f.mode, f.name]
;;
import imp
imp.find_module("outer", [SITE])
;;
import imp
imp.find_module("nothing", [SITE])
;;
import imp
f, path, what = imp.find_module("alone", [SITE])
answer = imp.load_module("again", f, path, what).VALUE
;;
import imp
imp.load_module("again2", *imp.find_module("outer", [SITE])).VALUE
;;
import imp
imp.load_source("again3", INNER).VALUE
;;
import imp
imp.load_package("again4", SITE + "/outer").VALUE
;;
import imp
imp.find_module("wave")[1:]
""",
)
_ask(
    "spelling",
    """
load(machinery.SourceFileLoader("mine", SITE + "/outer/../outer/inner.py"))
;;
load(machinery.SourceFileLoader("mine", SITE + "/./outer//inner.py"))
;;
os.symlink(SITE + "/outer", SCRATCH + "/linked") if not os.path.lexists(SCRATCH + "/linked") else None
load(machinery.SourceFileLoader("mine", SCRATCH + "/linked/inner.py"))
;;
os.symlink(SITE, SCRATCH + "/elsewhere")
sys.path.insert(0, SCRATCH + "/elsewhere"); sys.modules.pop("alone")
import alone as again
answer = [again.__file__, repr(sys.path_importer_cache[sys.path[0]])]
sys.path.pop(0); sys.modules["alone"] = alone
;;
sys.path.insert(0, SITE + "/outer/../outer/deep")
import er
answer = [er.VALUE, er.__file__]
sys.path.pop(0)
;;
sys.path.insert(0, SITE + "//outer/./deep/"); sys.modules.pop("er")
import er
answer = [er.VALUE, er.__file__]
sys.path.pop(0)
;;
os.chdir(SITE)
sys.path.insert(0, "outer/deep"); sys.modules.pop("er")
import er
answer = [er.VALUE, er.__file__]
sys.path.pop(0); os.chdir(SCRATCH)
;;
os.chdir(SITE)
sys.path.insert(0, "outer"); sys.path.insert(0, "")
import inner
answer = [inner.VALUE, inner.__file__]
del sys.path[:2]; os.chdir(SCRATCH)
;;
os.mkdir(SCRATCH + "/gone"); os.chdir(SCRATCH + "/gone"); os.rmdir(SCRATCH + "/gone")
sys.path[:0] = ["", "relative"]; sys.modules.pop("outer.latin", None); sys.modules.pop("alone")
import outer.latin, alone as again, colorsys
answer = [outer.latin.VALUE, again.__file__]; sys.modules["alone"] = alone
;;
sys.path[:2] = []; sys.modules.pop("outer.latin", None)
import outer.latin
os.chdir(SCRATCH)
answer = outer.latin.VALUE
;;
import linecache
[linecache.getline(p, 1) for p in (INNER, SITE + "/outer/../outer/inner.py", SITE + "//outer/inner.py", "outer/inner.py", "alone.py")]
;;
[os.path.basename(str(p)) for p in map(pathlib.Path, [machinery.FileFinder(SITE + "/outer/../outer", (machinery.SourceFileLoader, [".py"])).find_spec("inner").origin])]
""",
)

_FILES = """
from importlib.resources import files, as_file
root = files({package!r})
"""
_PATHS = """
[str(root), root.name, root.is_dir(), root.is_file()]
;;
repr(root)
;;
sorted(each.name for each in root.iterdir() if each.name != "__pycache__")
;;
sorted(str(each) for each in root.iterdir() if each.name != "__pycache__")
;;
[(root / n).is_file() for n in ("inner.py", "data.txt", "nothing", "deep")]
;;
[(root / n).is_dir() for n in ("inner.py", "data.txt", "nothing", "deep")]
;;
[root.joinpath(n).read_text() for n in ("data.txt",)]
;;
(root / "nothing").read_text()
;;
root.read_text()
;;
root.read_bytes()
;;
root.open()
;;
root == files(root_name)
;;
hash(root) == hash(files(root_name))
;;
len({root, files(root_name)})
;;
root != files("mixed")
;;
with as_file(root / "data.txt") as p: answer = [p.read_text(), p.name, str(p) == str(root / "data.txt")]
;;
with as_file(root) as p: answer = [p.is_dir(), p.name, sorted(x.name for x in p.iterdir() if x.name != "__pycache__")]
;;
import importlib.resources.abc as abc
isinstance(root, abc.Traversable)
;;
(root / "nothing" / "more").is_file()
;;
bool(root)
"""
_MORE_PATHS = """
isinstance(root, pathlib.Path)
;;
isinstance(root, os.PathLike) and os.fspath(root)
;;
root == pathlib.Path(str(root)) and pathlib.Path(str(root)) == root
;;
hash(root) == hash(pathlib.Path(str(root)))
;;
sorted(str(p) for p in root.glob("*.py"))
;;
sorted(str(p) for p in root.glob("**/*.py"))
;;
sorted(str(p) for p in root.rglob("*.py"))
;;
sorted(str(p) for p in root.rglob("*") if "__pycache__" not in str(p))
;;
sorted(str(p) for p in root.glob("**") if "__pycache__" not in str(p))
;;
sorted(str(p) for p in root.glob("*") if "__pycache__" not in str(p))
;;
sorted(str(p) for p in root.glob("*/") if "__pycache__" not in str(p))
;;
sorted(str(p) for p in root.glob("d*/*") if "__pycache__" not in str(p))
;;
sorted(str(p) for p in root.glob("deep/er.py"))
;;
sorted(str(p) for p in root.glob("inner.py"))
;;
sorted(str(p) for p in root.glob("[a-i]*.py"))
;;
sorted(str(p) for p in root.glob("nothing*"))
;;
list(root.glob(""))
;;
list(root.glob("/absolute"))
;;
list(root.glob("a**"))
;;
[(root / n).exists() for n in ("inner.py", "data.txt", "nothing", "deep", ".")]
;;
[str((root / "deep").parent), str(root.parent), root.parent == root.parent.parent / root.parent.name]
;;
[(root / "inner.py").suffix, (root / "inner.py").stem, str((root / "inner.py").with_suffix(".txt")), root.parts[-1]]
;;
[str((root / "deep" / "er.py").relative_to(root)), (root / "deep").is_relative_to(root)]
;;
[str(root.resolve() / "x") == str((root / "deep" / "..").resolve() / "x"), str((root / "inner.py").resolve(strict=True)) == str(root.resolve() / "inner.py")]
;;
(root / "nothing").resolve(strict=True)
;;
[str(root.absolute()), root.as_posix(), root.as_uri(), root.is_absolute()]
;;
import stat
[(stat.S_ISREG(s.st_mode), s.st_size) for s in [(root / "inner.py").stat(), (root / "inner.py").lstat()]] + [stat.S_ISDIR(root.stat().st_mode)]
;;
(root / "nothing").stat()
;;
[(root / "inner.py").samefile(root / "deep" / ".." / "inner.py"), (root / "inner.py").samefile(str(root / "inner.py")), root.samefile(root / "deep")]
;;
(root / "inner.py").read_text() == outer.inner.__loader__.get_source("outer.inner")
;;
(root / "inner.py").read_text(encoding="utf-8", errors="strict")[:5], (root / "inner.py").read_bytes()[:5]
;;
with (root / "inner.py").open() as f: answer = [f.readline(), f.name, f.mode, f.encoding.lower(), f.fileno() > 2, type(f).__name__]
;;
with (root / "inner.py").open("rb") as f: answer = [f.readline(), f.name, f.mode, type(f).__name__, f.seek(3), f.read(4)]
;;
with (root / "inner.py").open("rb", 0) as f: answer = [f.readline(), type(f).__name__]
;;
(root / "inner.py" / "x").is_file()
;;
list((root / "inner.py").iterdir())
;;
list((root / "nothing").iterdir())
;;
(root / "inner.py").match("*.py"), root.match("*/outer")
;;
with as_file(root / "inner.py") as p: answer = [p.read_text(), p.name, p.exists(), p.suffix]
;;
with as_file(root / "inner.py") as p: answer = [open(p).read(), open(str(p), "rb").read()]
;;
with as_file(root) as p: answer = [(p / "deep" / "er.py").read_text(), (p / "data.txt").read_text(), (p / "notes" / "readme.txt").read_text()]
;;
with as_file(root / "inner.py") as p: pass
answer = p.exists()
;;
import pickle
pickle.loads(pickle.dumps(root)) == root
;;
[str(root / "a" / "b"), str("x" / root)[-5:], str(root.joinpath("a", "b")), str(root.with_name("other"))]
;;
[root.is_symlink(), root.is_mount(), (root / "inner.py").is_socket(), (root / "inner.py").is_fifo()]
;;
[(str(a), sorted(set(b) - {"__pycache__"}), sorted(c)) for a, b, c in sorted(root.walk()) if "__pycache__" not in str(a)]
;;
[(str(a), sorted(set(b) - {"__pycache__"})) for a, b, c in root.walk(top_down=False) if "__pycache__" not in str(a)][-1]
;;
sorted(str(p) for p in root.glob("INNER.py", case_sensitive=False))
;;
(root / "inner.py").owner() == pathlib.Path("/").owner()
;;
sorted([root / "b", root / "a", root])[0] == root
;;
f"{root}" == str(root), root.expanduser() == root
;;
root.open("w")
;;
(root / "inner.py").info.is_file()
;;
(root / "data.txt").joinpath("x").exists()
;;
shutil.copy(root / "data.txt", SCRATCH + "/copied")
open(SCRATCH + "/copied").read()
"""
_NAMESPACES = """
sorted(each.name for each in root.iterdir() if each.name != "__pycache__")
;;
[root.name, root.is_dir(), root.is_file(), repr(root)]
;;
[(root / n).is_file() for n in ("one.py", "data.txt", "nothing", "sub")]
;;
[(root / "one.py").read_text(), (root / "data.txt").read_text(), (root / "sub" / "two.py").read_text()]
;;
with as_file(root / "one.py") as p: answer = p.read_text()
;;
sorted(each.name for each in files("space.sub").iterdir() if each.name != "__pycache__")
;;
root.joinpath("nothing").is_file()
;;
root.read_text()
;;
with as_file(root) as p: answer = sorted(each.name for each in p.iterdir() if each.name != "__pycache__")
"""


def _about_paths(about: str, package: str, questions: str) -> None:
    head = _FILES.format(package=package) + f"root_name = {package!r}\n"
    for number, each in enumerate(part for part in questions.strip().split("\n;;\n")):
        statements = each.strip("\n")
        if "answer =" not in statements:
            *before, last = statements.split("\n")
            statements = "\n".join((*before, f"answer = {last}"))
        QUESTIONS[f"{about} {number}: {each.strip()[:70]}"] = head + statements


for _package in ("outer", "outer.deep", "mixed", "space.regular"):
    _about_paths(f"files({_package!r})", _package, _PATHS)
for _package in ("outer", "mixed"):
    _about_paths(f"path of {_package}", _package, _MORE_PATHS)
_about_paths("files('space')", "space", _NAMESPACES)

_ask(
    "resources",
    """
import importlib.resources as r
r.read_text("outer", "data.txt"), r.read_binary("outer", "data.txt"), r.read_text("outer", "inner.py")
;;
import importlib.resources as r
[r.is_resource("outer", n) for n in ("data.txt", "inner.py", "deep", "nothing")]
;;
import importlib.resources as r
sorted(set(r.contents("outer")) - {"__pycache__"})
;;
import importlib.resources as r
sorted(set(r.contents("space")) - {"__pycache__"})
;;
import importlib.resources as r
with r.path("outer", "data.txt") as p: answer = [str(p), p.read_text()]
;;
import importlib.resources as r
with r.path("outer", "inner.py") as p: answer = [p.name, p.read_text(), p.exists()]
;;
import importlib.resources as r
with r.open_text("outer", "inner.py") as f: answer = f.read()
;;
import importlib.resources as r
with r.open_binary("outer.deep", "er.py") as f: answer = f.read()
;;
import importlib.resources as r
r.read_text("outer", "nothing")
;;
import importlib.resources as r
r.files(outer).joinpath("deep", "er.py").read_text()
;;
import importlib.resources as r
r.files("alone")
;;
import importlib.resources as r
r.files("outer.inner")
;;
import importlib.resources as r
r.files("nothing_there")
;;
reader = outer.__loader__.get_resource_reader("outer")
[sorted(set(reader.contents()) - {"__pycache__"}), reader.is_resource("inner.py"), reader.is_resource("deep"), reader.open_resource("inner.py").read()]
;;
reader = outer.__loader__.get_resource_reader("outer")
[reader.resource_path("data.txt"), open(reader.resource_path("inner.py")).read()]
;;
type(outer.__loader__.get_resource_reader("outer")).__name__
;;
reader = machinery.SourceFileLoader("outer", outer.__file__).get_resource_reader("outer")
reader.open_resource("inner.py").read()
""",
)
_ask(
    "metadata",
    """
import importlib.metadata as m
d = m.distribution("outer")
[d.version, d.metadata["Name"], [str(f) for f in d.files], [f.locate().exists() for f in d.files]]
;;
import importlib.metadata as m
f = next(f for f in m.files("outer") if f.name == "inner.py")
[f.read_text(), f.read_binary(), str(f.locate()), f.locate().is_file(), f.locate().name]
;;
import importlib.metadata as m
[repr(e) for e in m.distribution("outer").entry_points]
;;
import importlib.metadata as m
list(m.distribution("outer").entry_points)[0].load()(4)
;;
import importlib.metadata as m
str(m.distribution("outer").locate_file("outer/inner.py"))
;;
import importlib.metadata as m
str(m.distribution("outer").locate_file(""))
;;
import importlib.metadata as m
m.packages_distributions().get("outer")
""",
)
_ask(
    "pkgutil",
    """
import pkgutil
[(m.name, m.ispkg) for m in pkgutil.iter_modules([SITE])]
;;
import pkgutil
[(m.name, m.ispkg) for m in pkgutil.iter_modules(outer.__path__, "p.")]
;;
import pkgutil
[(m.name, m.ispkg) for m in pkgutil.walk_packages(outer.__path__, "outer.")]
;;
import pkgutil
[(m.name, m.ispkg) for m in pkgutil.walk_packages(space.__path__, "space.")]
;;
import pkgutil
[repr(m.module_finder) for m in pkgutil.iter_modules(outer.__path__)]
;;
import pkgutil
f = machinery.FileFinder(SITE + "/outer", (machinery.SourceFileLoader, [".py"]))
list(pkgutil.iter_importer_modules(f, "x."))
;;
import pkgutil
[pkgutil.get_data("outer", "data.txt"), pkgutil.get_data("outer", "inner.py"), pkgutil.get_data("outer.deep", "../inner.py")]
;;
import pkgutil
pkgutil.get_data("outer", "nothing")
;;
import pkgutil
[repr(pkgutil.get_importer(p)) for p in (SITE, SITE + "/outer", SITE + "/nothing", INNER)]
;;
import pkgutil
pkgutil.extend_path([SITE + "/space"], "space")
;;
import pkgutil
pkgutil.resolve_name("outer.inner:f").__qualname__
;;
import pkgutil
[type(i).__name__ for i in pkgutil.iter_importers("outer.inner")][-1]
""",
)
_ask(
    "inspect",
    """
import inspect
[inspect.getfile(alone.fail), inspect.getsourcefile(alone.fail), inspect.getabsfile(alone), inspect.getmodulename(alone.__file__)]
;;
import inspect
[inspect.getsource(alone), inspect.getsource(alone.Thing), inspect.getsource(alone.Thing.method), inspect.getsourcelines(alone.double)]
;;
import inspect
[inspect.getsource(outer), inspect.getsource(outer.deep.er), inspect.getsource(sys.modules["outer.inner"].f)]
;;
import inspect
d = {}
exec(compile(pathlib.Path(os.devnull).read_text() or "def g():\\n    return 1\\n", INNER, "exec"), d)
m = sys.modules.pop("outer.inner"); old = outer.__dict__.pop("inner")
try:
    answer = [inspect.getsourcefile(d["g"].__code__), inspect.getsource(m.f.__code__)]
finally:
    sys.modules["outer.inner"] = m; outer.inner = old
;;
import inspect
[str(inspect.getmodule(alone.fail)), str(inspect.getmodule(None, INNER)), inspect.getcomments(alone.fail), inspect.getdoc(alone.double)]
;;
import inspect
[inspect.ismodule(alone), str(inspect.signature(alone.double)), inspect.findsource(alone.Thing)[1]]
;;
import inspect
try: alone.fail()
except LookupError as e: answer = [list(f[1:]) for f in inspect.getinnerframes(e.__traceback__, 3)][-1]
;;
import inspect
[list(f)[1:] for f in inspect.trace()]
""",
)
_ask(
    "lines",
    """
import linecache
linecache.clearcache()
[linecache.getlines(INNER), linecache.getline(alone.__file__, 1), linecache.getline(alone.__file__, 999), linecache.getlines(SITE + "/nothing.py")]
;;
import linecache
linecache.checkcache(); linecache.checkcache(INNER)
linecache.getlines(INNER)
;;
import linecache
linecache.clearcache()
[linecache.getlines(SITE + "/outer/no_newline.py"), linecache.getlines(outer.deep.__file__), linecache.getlines(SITE + "/outer/latin.py")]
;;
import linecache
linecache.clearcache()
linecache.getlines(INNER); c = linecache.cache[INNER]
[c[0], c[3], c[2]]
;;
import linecache
class Foreign:
    def get_source(self, name): return "something else\\n"
linecache.clearcache()
[linecache.getlines(INNER, {"__name__": "x", "__loader__": Foreign()}), linecache.lazycache(INNER, {"__name__": "x", "__loader__": Foreign()})]
;;
import traceback
try: alone.fail()
except LookupError: answer = traceback.format_exc()
;;
import traceback
try: alone.fail()
except LookupError as e: answer = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(e.__traceback__)]
;;
import traceback
try: import outer.nothing
except ImportError: answer = traceback.format_exc()
;;
import traceback
open(SCRATCH + "/broken.py", "w").write("def f(:\\n")
sys.path.insert(0, SCRATCH)
try: import broken
except SyntaxError: answer = traceback.format_exc()
sys.path.remove(SCRATCH)
;;
import traceback
open(SCRATCH + "/raises.py", "w").write("import outer\\n1/0\\n")
sys.path.insert(0, SCRATCH)
try: import raises
except ZeroDivisionError: answer = traceback.format_exc()
sys.path.remove(SCRATCH)
;;
import traceback, re
try: re.compile("(")
except re.error: answer = traceback.format_exc()
;;
import traceback, re
try: re.compile("(?P<n>x)(?P<n>y)", re.I)
except re.error as e: answer = [f[2] for f in traceback.extract_tb(e.__traceback__)]
;;
import traceback
s = [f.name for f in traceback.extract_stack()]
s[-1]
;;
import logging, io
stream = io.StringIO(); log = logging.getLogger("t"); log.addHandler(logging.StreamHandler(stream)); log.propagate = False
log.handlers[0].setFormatter(logging.Formatter("%(filename)s:%(lineno)d %(module)s %(message)s"))
exec(compile("def g(log): log.warning('w', stacklevel=1)", alone.__file__, "exec"), d := {}); d["g"](log)
stream.getvalue()
""",
)
_ask(
    "warnings",
    """
import warnings
with warnings.catch_warnings(record=True) as c:
    warnings.simplefilter("always"); alone.warn(); alone.warn(2)
[(w.filename, w.lineno, warnings.formatwarning(w.message, w.category, w.filename, w.lineno)) for w in c]
;;
import warnings, re
with warnings.catch_warnings(record=True) as c:
    warnings.simplefilter("always"); re.compile("[[a]x1"); re.search("[[a]y2", ""); re.sub("[a||b]z3", "", "")
[(w.filename, w.lineno, str(w.message), w.category.__name__) for w in c]
;;
import warnings, re
with warnings.catch_warnings():
    warnings.filterwarnings("error", module=__name__)
    re.compile("[[a]x4")
;;
import warnings, re
re.purge()
with warnings.catch_warnings(record=True) as c:
    warnings.simplefilter("default"); re.compile("[[a]x5")
    re.compile("[[b]x6"); exec("re.compile('[[c]x7')", {"re": re, "__name__": "elsewhere"})
[(w.filename, w.lineno) for w in c]
;;
import warnings, re
with warnings.catch_warnings(record=True) as c:
    warnings.simplefilter("always"); re.compile("x(?i)y8")
[(w.filename, w.lineno) for w in c]
;;
import re
[re.compile(p, f).pattern for p, f in ((r"\\d+", 0), (r"[a-z]{2}", re.I))] + [len({re.compile("same") for _ in range(3)})]
;;
import re
re.purge(); [re.compile(f"p{i}") for i in range(1200)]; answer = len(re._cache) <= 512, re.compile("p1199") is re.compile("p1199")
;;
import re
re.compile("a", "x")
;;
import re
re.compile(3)
;;
import warnings
warnings.warn_explicit("m", UserWarning, alone.__file__, 10, registry=(r := {}))
list(map(str, r))[:1]
;;
import warnings, importlib
open(SCRATCH + "/warns.py", "w").write("import warnings\\nwarnings.warn('deprecated', DeprecationWarning, stacklevel=2)\\n")
sys.path.insert(0, SCRATCH)
with warnings.catch_warnings(record=True) as c:
    warnings.simplefilter("always")
    import warns
[(os.path.basename(w.filename), w.lineno) for w in c]
""",
)
_ask(
    "tools",
    """
import doctest
str(doctest.testmod(alone))
;;
import doctest
[len(t.examples) for t in doctest.DocTestFinder().find(alone)]
;;
import doctest
doctest.testfile("data.txt", package="outer").attempted
;;
import unittest, io
s = unittest.defaultTestLoader.loadTestsFromName("outer.test_it")
s.countTestCases()
;;
import unittest
unittest.TestLoader().discover("outer").countTestCases()
;;
import unittest
unittest.TestLoader().discover(SITE + "/outer", top_level_dir=SITE).countTestCases()
;;
import unittest
unittest.TestLoader().discover("space").countTestCases()
;;
import pydoc
pydoc.plain(pydoc.render_doc("alone"))
;;
import pydoc
[pydoc.synopsis(alone.__file__), pydoc.locate("outer.inner.f").__name__, pydoc.importfile(INNER).VALUE, pydoc.ispackage(SITE + "/outer")]
;;
import pydoc
pydoc.plain(pydoc.render_doc("outer"))
;;
import pyclbr
sorted(pyclbr.readmodule_ex("alone"))
;;
import pyclbr
pyclbr.readmodule_ex("alone")["Thing"].file
;;
import modulefinder
m = modulefinder.ModuleFinder(path=[SITE])
open(SCRATCH + "/script.py", "w").write("import outer.deep.er, alone\\nfrom space import *\\n")
m.run_script(SCRATCH + "/script.py")
sorted((n, v.__file__) for n, v in m.modules.items() if v.__file__)
;;
import modulefinder
m = modulefinder.ModuleFinder(path=[SITE])
open(SCRATCH + "/script2.py", "w").write("from outer import *\\n")
m.run_script(SCRATCH + "/script2.py")
[sorted(m.modules), sorted(m.find_all_submodules(m.modules["outer"]))]
;;
import zipfile, io
z = zipfile.PyZipFile(b := io.BytesIO(), "w"); z.writepy(SITE + "/outer"); z.close()
sorted(zipfile.ZipFile(b).namelist())
;;
import zipfile, io
z = zipfile.PyZipFile(b := io.BytesIO(), "w"); z.writepy(alone.__file__); z.close()
sorted(zipfile.ZipFile(b).namelist())
;;
import zipfile, io
z = zipfile.ZipFile(b := io.BytesIO(), "w"); z.write(alone.__file__, "a.py"); z.close()
zipfile.ZipFile(b).read("a.py").decode() == alone.__loader__.get_source("alone")
;;
import py_compile
r = py_compile.compile(INNER, cfile=SCRATCH + "/inner.pyc", doraise=True)
load(machinery.SourcelessFileLoader("mine", r))
;;
import compileall
sys.pycache_prefix = SCRATCH + "/prefix"
answer = [compileall.compile_dir(SITE + "/outer", quiet=2), compileall.compile_file(alone.__file__, quiet=2), sorted(os.path.relpath(os.path.join(d, f), SCRATCH + "/prefix" + SITE) for d, _, fs in os.walk(SCRATCH + "/prefix") for f in fs)]
sys.pycache_prefix = None
;;
import tabnanny, io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as o: tabnanny.check(alone.__file__); tabnanny.verbose = 1; tabnanny.check(SITE + "/outer/deep/er.py")
o.getvalue()
;;
import trace
t = trace.Trace(count=1, trace=0); t.runfunc(alone.double, 2)
r = t.results(); r.write_results(show_missing=True, coverdir=SCRATCH + "/cover")
[sorted(n for n in os.listdir(SCRATCH + "/cover")), open(SCRATCH + "/cover/alone.cover").read()]
;;
import trace
sorted(trace._find_executable_linenos(alone.__file__))
;;
import bdb
b = bdb.Bdb()
[b.set_break(alone.__file__, 22), b.get_all_breaks(), b.canonic(alone.__file__)]
;;
import pdb, io
p = pdb.Pdb(stdin=io.StringIO("break outer/inner.py:5\\nbreak alone:22\\nbreak alone.fail\\nlist 1\\nsource outer.inner.f\\nq\\n"), stdout=(o := io.StringIO()), nosigint=True, readrc=False)
p.use_rawinput = False; p.prompt = ""
try: p.runcall(alone.double, 1)
except bdb.BdbQuit: pass
except Exception as e: print(e, file=o)
answer = o.getvalue()
import bdb
;;
import symtable, dis, io
dis.dis(alone.double, file=(o := io.StringIO()))
o.getvalue()
;;
import tokenize, io
len(list(tokenize.tokenize(io.BytesIO(alone.__loader__.get_data(alone.__file__)).readline)))
;;
import ast
ast.dump(ast.parse(alone.__loader__.get_source("alone")))[:100]
;;
import cProfile, pstats, io
p = cProfile.Profile(); p.runcall(alone.double, 1); s = pstats.Stats(p, stream=(o := io.StringIO()))
sorted((k[0], k[1], k[2]) for k in s.stats if k[0].endswith("alone.py"))
;;
import multiprocessing.spawn as s
sorted(s.get_preparation_data("x"))
""",
)


def main() -> None:
    answers: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = str(Path(name).resolve())
        os.chdir(scratch)
        prepared: dict[str, object] = {"__name__": "__main__", "SCRATCH": scratch}
        exec(_PREPARED, prepared)
        for question, statements in QUESTIONS.items():
            scope = dict(prepared)
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                try:
                    exec(compile(statements, "<question>", "exec"), scope)
                    answer = repr(scope["answer"])
                except BaseException as error:
                    answer = "".join(traceback.format_exception_only(type(error), error)).strip()
            answer = re.sub(
                r" at 0x[0-9a-f]+|/tmp/[^/]*(tmp|czscie-)\w+/", "", answer.replace(scratch, "SCRATCH")
            )
            answers[question] = answer.replace(ROOT, "ROOT")
        os.chdir("/")
    print(json.dumps(answers))


if __name__ == "__main__":
    main()

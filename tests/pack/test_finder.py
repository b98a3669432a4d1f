from __future__ import annotations

import linecache
import marshal
import pkgutil
import re
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from czscie.pack.pack import NAME, REST, Bytecode, Module, render, render_in_two
from pack.factories import HERE, Library, compiled, this_python

PACKED = {
    "alone.py": "VALUE = 'alone'\n\ndef fail():\n    raise LookupError('here')  # the line\n",
    "outer/__init__.py": "VALUE = 'outer'\n",
    "outer/inner.py": "VALUE = 'inner'\n",
    "outer/deep/__init__.py": "",
    "outer/deep/er.py": "VALUE = 'deeper'\n",
    "spread/near.py": "VALUE = 'near'\n",
    "größe.py": "VALUE = 'size'\n",
    "𐐀.py": "VALUE = 'a plane above'\n",
    # Standard modules that know about files and are told about packs.
    "linecache.py": Path(linecache.__file__).read_text(),
    "pkgutil.py": Path(pkgutil.__file__).read_text(),
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.make(tmp_path / "library", PACKED)


def test_modules_and_packages_are_imported(library: Library) -> None:
    names = ("alone", "outer", "outer.inner", "outer.deep.er", "spread.near", "größe", "𐐀")
    program = f"import importlib; found = [importlib.import_module(n).VALUE for n in {names!r}]"
    values = ["alone", "outer", "inner", "deeper", "near", "size", "a plane above"]
    assert library.tell("found", program) == values


def test_a_spec_says_what_a_files_does(library: Library) -> None:
    tell = (
        "[s.name, s.origin, s.has_location, s.submodule_search_locations, s.cached, s.parent,"
        " m.__file__, getattr(m, '__cached__', s.cached), list(getattr(m, '__path__', [])), m.__package__]"
    )
    library.write({"elsewhere/outer/__init__.py": "", "elsewhere/outer/inner.py": ""})
    for name, path in {"outer": "outer/__init__.py", "outer.inner": "outer/inner.py"}.items():
        program = f"import importlib; m = importlib.import_module({name!r}); s = m.__spec__"
        elsewhere = f"sys.path.insert(0, {str(library.root / 'elsewhere')!r})\n"
        packed = library.tell(tell, program)
        files = library.tell(tell, elsewhere + program)
        assert packed == [
            [each.replace("/elsewhere", "") for each in told]
            if isinstance(told, list)
            else told.replace("/elsewhere", "")
            if isinstance(told, str)
            else told
            for told in files
        ]
        assert packed[1] == str(library.root / path)
        assert packed[4] == cache_from_source(packed[1])


def test_the_bytecode_cache_follows_its_prefix(library: Library) -> None:
    told = library.tell("alone.__spec__.cached", "import alone", "-X", "pycache_prefix=/elsewhere")
    assert told.startswith("/elsewhere/")


def test_a_namespace_package_has_its_portions_in_packs_and_files(library: Library) -> None:
    library.write({"spread/far.py": "VALUE = 'far'\n", "more/spread/farther.py": "VALUE = 'farther'\n"})
    program = f"""
sys.path.append({str(library.root / "more")!r})
import spread.near, spread.far, spread.farther
"""
    told = library.tell(
        "[list(spread.__path__), spread.near.VALUE, spread.far.VALUE, spread.farther.VALUE]", program
    )
    places = [str(library.root / "spread"), str(library.root / "more" / "spread")]
    assert told == [places, "near", "far", "farther"]


def test_what_the_pack_lacks_is_looked_for_on_the_disk(library: Library) -> None:
    library.write({"file.py": "VALUE = 1\n", "outer/file.py": "VALUE = 2\n"})
    assert library.tell("[file.VALUE, outer.file.VALUE]", "import file, outer.file") == [1, 2]


def test_nothing_more_is_looked_for_in_a_complete_directory(tmp_path: Path) -> None:
    pack = render(compiled(PACKED), HERE, (), {"outer/"})
    library = Library.with_pack(tmp_path / "library", pack)
    library.write({"outer/file.py": "", "outer/deep/file.py": ""})
    assert library.tell("[outer.inner.VALUE]", "import outer.inner, outer.deep.file") == ["inner"]
    assert "No module named 'outer.file'" in library.run("import outer.file").stderr


def test_a_missing_module_is_missing_as_ever(library: Library) -> None:
    for name, message in {
        "nothing": "No module named 'nothing'",
        "outer.nothing": "No module named 'outer.nothing'",
        "alone.nothing": "No module named 'alone.nothing'; 'alone' is not a package",
    }.items():
        assert f"ModuleNotFoundError: {message}" in library.run(f"import {name}").stderr


@pytest.mark.parametrize("xz", [True, False], ids=["xz", "zlib"])
def test_sources_are_read_from_their_blocks(tmp_path: Path, xz: bool) -> None:
    large = {f"module{number}.py": f"# {number}\n" + "x = 1\n" * 100_000 for number in range(4)}
    library = Library.make(tmp_path / "library", PACKED | large, xz=xz)
    program = """
import importlib.util
sources = {name: importlib.util.find_spec(name).loader.get_source(name)[:14] for name in
           ("module0", "module3", "module1", "alone", "module2", "outer.inner")}
"""
    assert library.tell("sources", program) == {
        **{f"module{number}": f"# {number}\nx = 1\nx = " for number in (0, 3, 1, 2)},
        "alone": "VALUE = 'alone",
        "outer.inner": "VALUE = 'inner",
    }


def test_a_loader_answers_what_loaders_of_files_do(library: Library) -> None:
    program = """
import outer.inner, importlib.machinery, importlib.abc
loader = outer.inner.__loader__
code = loader.get_code("outer.inner")
"""
    told = library.tell(
        "[loader.is_package('outer.inner'), outer.__loader__.is_package('outer'), loader.get_filename(),"
        " loader.get_data(loader.path).decode(), code.co_filename, code.co_consts[0],"
        " isinstance(loader, importlib.machinery.SourceFileLoader),"
        " isinstance(loader, importlib.abc.Loader)]",
        program,
    )
    path = str(library.root / "outer" / "inner.py")
    assert told == [False, True, path, PACKED["outer/inner.py"], path, "inner", True, True]


@pytest.mark.parametrize("loader", ["alone.__loader__", "type(alone.__loader__)('alone', {})"])
def test_a_loader_has_no_code_of_another_module(library: Library, loader: str) -> None:
    said = library.run(f"import alone; {loader}.get_code('outer')").stderr
    assert "ImportError: loader for alone cannot handle outer" in said


#: A module in whose pack code and source differ, which shows what a loader takes.
@pytest.fixture
def differing(tmp_path: Path) -> Library:
    (module,) = compiled({"m.py": "VALUE = 'bytecode'\n"})
    pack = render([Module("m.py", module.code, b"VALUE = 'source'\n")], HERE)
    return Library.with_pack(tmp_path / "library", pack)


#: `value(loader)`: what the module has that a loader of one's own loads.
OWN = """
import importlib.machinery as machinery, importlib.util as util, os
path = os.path.join(os.path.dirname(_czscie_finder.__file__), "m.py")
def value(loader):
    module = util.module_from_spec(util.spec_from_file_location("m", path, loader=loader))
    module.__spec__.loader.exec_module(module)
    return module.VALUE
class Hooked(machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(data, path)
class Reading(machinery.SourceFileLoader):
    def get_data(self, path):
        return super().get_data(path)
class Plain(machinery.SourceFileLoader):
    pass
"""


def test_ones_own_loader_takes_the_bytecode_unless_it_looks_at_sources(differing: Library) -> None:
    kinds = ("machinery.SourceFileLoader", "Plain", "Hooked", "Reading")
    told = differing.tell(f"[value(kind('m', path)) for kind in ({', '.join(kinds)})]", OWN)
    assert told == ["bytecode", "bytecode", "source", "source"]


def test_what_ones_own_loader_compiles_is_cached_where_that_of_a_file_is(differing: Library) -> None:
    program = f"{OWN}sys.dont_write_bytecode = False\nloaded = value(Hooked('m', path))"
    assert differing.tell("loaded", program) == "source"
    assert Path(cache_from_source(str(differing.root / "m.py"))).is_file()


@pytest.mark.parametrize("kind", ["machinery.SourceFileLoader", "Hooked"])
def test_ones_own_finder_finds_modules(library: Library, kind: str) -> None:
    program = f"""{OWN}
root = os.path.dirname(path)
hook = machinery.FileFinder.path_hook(({kind}, [".py"]))
def tell(spec):
    return [spec.origin, type(spec.loader).__name__, list(spec.submodule_search_locations or [])]
"""
    root = str(library.root)
    name = kind.rpartition(".")[2]
    told = library.tell("[tell(hook(root).find_spec(n)) for n in ('alone', 'outer')]", program)
    assert told == [[f"{root}/alone.py", name, []], [f"{root}/outer/__init__.py", name, [f"{root}/outer"]]]
    inner = library.tell("tell(hook(root + '/outer').find_spec('outer.inner'))", program)
    assert inner == [f"{root}/outer/inner.py", name, []]
    assert library.tell("hook(root + '/spread').find_spec('x')", program) is None
    assert "only directories are supported" in library.run(f"{program}hook(root + '/nothing')").stderr


def test_a_hook_before_importlibs_finds_packed_modules_in_its_place(library: Library) -> None:
    program = """
from importlib import machinery
class Loader(machinery.SourceFileLoader):
    pass
class Nothing:
    def __init__(self, path):
        raise ImportError(path)
hook = machinery.FileFinder.path_hook((Loader, [".py"]))
sys.path_hooks[-1:-1] = Nothing, hook
sys.path_importer_cache.clear()
import outer.deep.er
import spread.near
"""
    modules = "(outer, outer.deep, outer.deep.er, spread.near)"
    assert library.tell(f"[type(m.__loader__).__name__ for m in {modules}]", program) == ["Loader"] * 4
    assert library.tell("outer.deep.er.VALUE + spread.near.VALUE", program) == "deepernear"


def test_a_loader_is_importlibs_and_is_pickled_as_name_and_path(library: Library) -> None:
    program = """
import outer.inner, copy, pickle, importlib.machinery as machinery
loader = outer.inner.__loader__
again = pickle.loads(pickle.dumps(loader))
"""
    told = library.tell(
        "[type(loader) is machinery.SourceFileLoader, vars(loader), again == loader,"
        " copy.copy(loader) == loader, again.get_source('outer.inner')]",
        program,
    )
    path = str(library.root / "outer/inner.py")
    assert told == [True, {"name": "outer.inner", "path": path}, True, True, PACKED["outer/inner.py"]]


def test_code_is_opened_and_run_by_its_path(library: Library) -> None:
    program = """
import io, os, runpy
path = os.path.join(os.path.dirname(_czscie_finder.__file__), "outer", "inner.py")
"""
    told = library.tell("[io.open_code(path).read().decode(), runpy.run_path(path)['VALUE']]", program)
    assert told == [PACKED["outer/inner.py"], "inner"]


@pytest.mark.parametrize(
    "spelled",
    ["outer/../outer/inner.py", "./outer//inner.py", "../link/outer/inner.py", "../inside/inner.py"],
)
def test_a_path_is_known_however_it_is_spelled(library: Library, spelled: str) -> None:
    (library.root.parent / "link").symlink_to(library.root)
    (library.root.parent / "inside").symlink_to(library.root / "outer")
    path = f"{library.root}/{spelled}"
    program = f"import importlib.util, os; s = importlib.util.spec_from_file_location('m', {path!r})"
    assert library.tell("s.loader.get_source('m')", program) == PACKED["outer/inner.py"]
    assert library.tell("s.loader.get_code('m').co_filename", program) == path


def test_a_link_to_a_directory_of_packed_modules_is_an_entry_of_the_path(library: Library) -> None:
    (library.root.parent / "elsewhere").symlink_to(library.root / "outer" / "deep")
    program = f"import os; sys.path.append({str(library.root.parent / 'elsewhere')!r}); import er"
    told = library.tell("[er.VALUE, er.__file__]", program)
    assert told == ["deeper", str(library.root.parent / "elsewhere" / "er.py")]


@pytest.mark.parametrize("entry", ["/nothing/here", "nothing", "/nothing/here.zip", "/dev/null/x"])
def test_an_entry_of_the_path_that_is_not_there_does_no_harm(library: Library, entry: str) -> None:
    program = f"""
sys.path.insert(0, {entry!r})
import alone, linecache, outer.inner
"""
    assert library.tell("alone.VALUE", program) == "alone"
    assert library.tell("linecache.getline(alone.__file__, 1)", program) == "VALUE = 'alone'\n"
    assert "No module named 'missing'" in library.run(f"{program}import missing").stderr


def test_threads_ask_at_once_what_is_at_a_path(library: Library) -> None:
    program = """
import importlib.machinery as machinery, threading, os
sys.setswitchinterval(1e-6)
path = os.path.join(os.path.dirname(_czscie_finder.__file__), "outer", "inner.py")
start = threading.Barrier(8)
found = []
def ask():
    start.wait()
    found.append(machinery.SourceFileLoader("m", path).get_source("m"))
threads = [threading.Thread(target=ask) for _ in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"""
    assert library.tell("found", program) == [PACKED["outer/inner.py"]] * 8


def test_a_working_directory_that_is_gone_does_no_harm(library: Library) -> None:
    program = """
import os, tempfile
gone = tempfile.mkdtemp(); os.chdir(gone); os.rmdir(gone)
sys.path[:0] = ["", "relative"]
import alone
"""
    assert library.tell("alone.VALUE", program) == "alone"


def test_a_cache_that_cannot_be_written_does_no_harm(library: Library) -> None:
    program = """
import os, importlib.machinery as machinery
sys.dont_write_bytecode = False
mkdir = os.mkdir
def refuse(*arguments):
    raise OSError(30, "Read-only file system")
import posix; posix.mkdir = refuse
path = os.path.join(os.path.dirname(_czscie_finder.__file__), "outer", "deep", "er.py")
class Hooked(machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(data, path)
code = Hooked("er", path).get_code("er")
"""
    assert library.tell("code.co_names[0]", program) == "VALUE"
    assert not (library.root / "outer").exists()


def test_data_beside_packed_modules_is_read(library: Library) -> None:
    library.write({"outer/data.txt": "data"})
    program = "import pkgutil, outer"
    assert library.tell("pkgutil.get_data('outer', 'data.txt').decode()", program) == "data"
    assert "FileNotFoundError" in library.run(f"{program}\npkgutil.get_data('outer', 'nothing')").stderr


def test_modules_are_listed_wherever_they_are(library: Library) -> None:
    library.write({"outer/file.py": "", "outer/pkg/__init__.py": "", "outer/space/file.py": ""})
    program = "import pkgutil, outer"
    assert library.tell("[m[1:] for m in pkgutil.walk_packages(outer.__path__, 'outer.')]", program) == [
        *(["outer.deep", True], ["outer.deep.er", False], ["outer.file", False]),
        *(["outer.inner", False], ["outer.pkg", True]),
    ]


def test_resources_are_the_modules_too(library: Library) -> None:
    library.write({"outer/data.txt": "data"})
    program = """
import _czscie_library, importlib.resources._common, importlib.resources.readers
from importlib.resources import files, as_file
for module in (importlib.resources._common, importlib.resources.readers):
    _czscie_library.adapt(module)
root = files("outer")
with as_file(root / "inner.py") as path:
    copied = path.read_text()
"""
    told = library.tell(
        "[sorted(each.name for each in root.iterdir()), (root / 'inner.py').read_text(),"
        " (root / 'data.txt').read_text(), (root / 'deep' / 'er.py').is_file(), (root / 'deep').is_dir(),"
        " (root / 'nothing').is_file(), copied]",
        program,
    )
    inner = PACKED["outer/inner.py"]
    names = ["__init__.py", "data.txt", "deep", "inner.py"]
    assert told == [names, inner, "data", True, True, False, inner]


def test_tracebacks_have_lines_whoever_prints_them(library: Library) -> None:
    uncaught = library.run("import alone; alone.fail()").stderr
    assert "raise LookupError('here')  # the line" in uncaught
    thread = "import alone, threading; t = threading.Thread(target=alone.fail); t.start(); t.join()"
    assert "raise LookupError('here')  # the line" in library.run(thread).stderr
    falling = "import alone\nclass F:\n    __del__ = lambda self: alone.fail()\nf = F(); del f"
    assert "raise LookupError('here')  # the line" in library.run(falling).stderr


def test_lines_are_known_without_the_module(library: Library) -> None:
    path = str(library.root / "alone.py")
    told = library.tell(
        f"[linecache.getline({path!r}, 1), linecache.getline({path!r}, 9)]", "import linecache"
    )
    assert told == ["VALUE = 'alone'\n", ""]


def test_lines_are_those_of_the_file_whatever_module_is_said_to_be_its(library: Library) -> None:
    """As `inspect` says it where an object's `__module__` is the package that exports it."""
    path = str(library.root / "outer/inner.py")
    told = library.tell(f"linecache.getlines({path!r}, vars(alone))", "import alone, linecache")
    assert told == ["VALUE = 'inner'\n"]


def test_an_interrupt_that_nobody_catches_ends_the_process_by_its_signal(tmp_path: Path) -> None:
    library = Library.make(tmp_path / "library", {"stop.py": "raise KeyboardInterrupt\n"})
    assert library.run("import stop").returncode == -2


def test_asserts_are_left_out_with_the_flag(tmp_path: Path) -> None:
    library = Library.make(tmp_path / "library", {"sure.py": '"""Doc."""\nassert False\n'})
    assert "AssertionError" in library.run("import sure").stderr
    assert library.tell("sure.__doc__", "import sure", "-O") == "Doc."
    assert library.tell("sure.__doc__", "import sure", "-OO") is None


def test_what_is_compiled_with_the_flag_is_cached_as_that_of_files(tmp_path: Path) -> None:
    library = Library.make(tmp_path / "library", {"outer/sure.py": "assert False\n"})
    cached = Path(cache_from_source(str(library.root / "outer" / "sure.py"), optimization="1"))
    library.run("sys.dont_write_bytecode = False; import outer.sure", "-O")
    assert cached.is_file()
    cached.write_bytes(cached.read_bytes()[:16] + marshal.dumps(compile("VALUE = 'cached'", "", "exec")))
    assert library.tell("outer.sure.VALUE", "import outer.sure", "-O") == "cached"


def test_without_source_everything_is_imported_all_the_same(tmp_path: Path) -> None:
    library = Library.make(tmp_path / "library", PACKED, source=False)
    assert library.tell("alone.VALUE", "import alone") == "alone"
    assert library.tell("alone.VALUE", "import alone", "-O") == "alone"
    assert "OSError" in library.run("import alone, inspect; inspect.getsource(alone.fail)").stderr
    assert "LookupError: here" in library.run("import alone; alone.fail()").stderr


@pytest.mark.parametrize("spelling", ["library", "./library", "library/", "link/library", "other/../library"])
def test_a_directory_is_known_however_it_is_spelled(library: Library, spelling: str) -> None:
    parent = library.root.parent
    (parent / "link").symlink_to(parent)
    (parent / "other").mkdir()
    for path in (spelling, f"{parent}/{spelling}"):
        program = f"""
import importlib
sys.path[0] = {path!r}
sys.path_importer_cache.clear()
import outer.inner
"""
        told = library.tell("[outer.inner.VALUE, outer.__file__]", program)
        assert told[0] == "inner"
        assert Path(told[1]).resolve() == library.root / "outer" / "__init__.py"


def test_a_pack_in_site_packages_is_found(library: Library) -> None:
    installed = library.root.parent / "site-packages"
    installed.mkdir()
    (installed / NAME).write_bytes(render(compiled({"app.py": "VALUE = 1\n"}), HERE))
    assert library.tell("app.VALUE", f"sys.path.append({str(installed)!r}); import app") == 1


def test_a_pack_in_two_files_is_one(tmp_path: Path) -> None:
    modules = compiled(PACKED)
    own = [module for module in modules if module.path.startswith("outer/")]
    others = [module for module in modules if module not in own]
    first, second = render_in_two((own, []), (others, []), HERE)
    library = Library.with_pack(tmp_path / "library", first)
    (library.root / REST).write_bytes(second)
    program = "import outer.inner, alone, importlib.util, inspect"
    told = library.tell("[outer.inner.VALUE, alone.VALUE, inspect.getsource(alone)]", program)
    assert told == ["inner", "alone", PACKED["alone.py"]]


def test_another_pythons_pack_is_left_alone(library: Library) -> None:
    installed = library.root.parent / "site-packages"
    installed.mkdir()
    (installed / "file.py").write_text("VALUE = 1\n")
    foreign = Bytecode(b"\x01\x02\r\n", xz=True)
    (installed / NAME).write_bytes(render(compiled({"app.py": "VALUE = 1\n"}), foreign))
    program = f"sys.path.append({str(installed)!r}); import file, importlib.util"
    assert library.tell("[file.VALUE, importlib.util.find_spec('app')]", program) == [1, None]


@pytest.mark.parametrize("size", [0, 7, 15, 16, 40])
def test_a_damaged_pack_is_named(tmp_path: Path, size: int) -> None:
    pack = render(compiled(PACKED), HERE)
    said = Library.with_pack(tmp_path / "library", pack[:size]).run("").stderr
    assert str(tmp_path / "library" / NAME) in said


def test_a_reload_and_a_lazy_load_find_it_again(library: Library) -> None:
    program = """
import importlib, importlib.util, alone
again = importlib.reload(alone) is alone
importlib.invalidate_caches(); sys.path_importer_cache.clear()
spec = importlib.util.find_spec("outer.inner")
spec.loader = importlib.util.LazyLoader(spec.loader)
lazy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lazy)
"""
    assert library.tell("[again, lazy.VALUE]", program) == [True, "inner"]


def test_finders_before_it_and_bytes_in_the_path_do_no_harm(library: Library) -> None:
    program = """
import pathlib, pkgutil
from importlib.machinery import ModuleSpec
class First:
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
sys.meta_path.insert(0, First())
sys.path[:0] = [b"bytes", ""]
import outer.inner
asked = First.asked[-2:]
importer = pkgutil.get_importer(pathlib.Path("/nowhere"))
"""
    assert library.tell("[asked, outer.inner.VALUE]", program) == [
        ["outer", "outer.inner"],
        "inner",
    ]


def test_no_descriptor_stays_open(library: Library) -> None:
    program = """
import os
before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
import alone, outer.inner; alone.__loader__.get_source("alone")
after = os.listdir("/proc/self/fd") if before else []
os.closerange(3, 256)
import spread.near
"""
    assert library.tell("[before == after, spread.near.VALUE]", program) == [True, "near"]


def test_a_pack_that_is_gone_has_no_modules(library: Library) -> None:
    program = """
import os, shutil
import outer
shutil.rmtree(os.path.dirname(_czscie_finder.__file__))
found = []
for name in ("alone", "outer.inner"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        found.append([str(error), error.name])
try:
    outer.__loader__.get_data(outer.__file__)
except FileNotFoundError as error:
    found.append(["no source", os.path.basename(error.filename)])
"""
    assert library.tell("found", program) == [
        ["No module named 'alone'", "alone"],
        ["No module named 'outer.inner'", "outer.inner"],
        ["no source", "__init__.py"],
    ]


def test_threads_import_and_read_at_once(tmp_path: Path) -> None:
    names = [f"module{number}" for number in range(12)]
    large = {f"{name}.py": f"VALUE = {name!r}\n" + "x = 1\n" * 60_000 for name in names}
    library = Library.make(tmp_path / "library", large, xz=False)
    program = f"""
import importlib, threading
sys.setswitchinterval(1e-6)
wrong = []
def load(name):
    for _ in range(3):
        module = importlib.import_module(name)
        if not module.__loader__.get_source(name).startswith(f"VALUE = {{name!r}}"):
            wrong.append(name)
threads = [threading.Thread(target=load, args=(name,)) for name in {names!r} * 2]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"""
    assert library.tell("wrong", program) == []


def test_hooks_are_what_programs_compare_them_with(library: Library) -> None:
    told = library.tell(
        "[sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__,"
        " io.open is open, sys.excepthook.__name__, sys.excepthook.__module__]",
        "import io",
    )
    assert told == [True, True, True, "excepthook", "sys"]


#: `re` anew, from the pack, and a parser that does not work.
ANEW = """
import os, sys
for name in [name for name in sys.modules if name == "re" or name.startswith("re.")]:
    del sys.modules[name]
import re
parse = re._parser.parse
def fail(*arguments):
    raise AssertionError("the pack has it")
re._parser.parse = fail
"""
KNOWN = r"(?P<a>x+)|[^\W\d]{2,5}?$"


@pytest.fixture
def expressions(tmp_path: Path) -> Library:
    """A pack with `re` and one compiled regular expression."""
    if sys.version_info < (3, 11):
        pytest.skip("before 3.11 re is no package")
    package = Path(re.__file__).parent
    modules = compiled({f"re/{path.name}": path.read_text() for path in package.glob("*.py")})
    text = f"import re\nre.compile({KNOWN!r}, re.I | re.M)\n"
    [found] = this_python().expressions([("a.py", text.encode())]).results
    assert len(found) == 1
    return Library.with_pack(tmp_path / "library", render(modules, HERE, found))


def test_a_regular_expression_of_the_pack_is_not_compiled_and_is_what_would_be_made(
    expressions: Library,
) -> None:
    program = (
        f"{ANEW}made = re.compile({KNOWN!r}, re.I | re.M); m = made.search('AB')\nre._parser.parse = parse"
    )
    told = expressions.tell("[m.span(), dict(made.groupindex), made.flags, made.pattern]", program)
    made = re.compile(KNOWN, re.I | re.M)
    assert told == [[0, 2], {"a": 1}, made.flags, made.pattern]


def test_a_warning_about_an_expression_blames_who_made_it(expressions: Library) -> None:
    program = f"""{ANEW}re._parser.parse = parse
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    re.compile("[[a]")
    re.search("[[b]", "")
"""
    told = expressions.tell("[[w.filename, w.lineno] for w in caught]", program)
    first = len((ANEW + "re._parser.parse = parse").splitlines()) + 5
    assert told == [["<string>", first], ["<string>", first + 1]]


def test_the_cache_of_expressions_stays_small(expressions: Library) -> None:
    program = f"""{ANEW}re._parser.parse = parse
for number in range(600):
    re.compile(f"x{{number}}")
made = re.compile({KNOWN!r}, re.I | re.M)
same = made is re.compile({KNOWN!r}, re.I | re.M)
"""
    assert expressions.tell("[len(re._cache) <= re._MAXCACHE, same]", program) == [True, True]


@pytest.mark.parametrize("other", [f"{KNOWN!r}", f"b{KNOWN!r}, re.I | re.M", "'x', re.I | re.M"])
def test_another_regular_expression_is_compiled(expressions: Library, other: str) -> None:
    program = f"{ANEW}re._parser.parse = parse; made = re.compile({other})"
    compiled_here = re.compile(*eval(f"({other},)"))
    assert expressions.tell("[repr(made), made.flags]", program) == [repr(compiled_here), compiled_here.flags]


def test_a_regular_expression_is_compiled_when_the_pack_is_gone(expressions: Library) -> None:
    gone = "os.unlink(os.path.join(os.path.dirname(_czscie_finder.__file__), 'czscie.pack'))"
    program = f"{ANEW}re._parser.parse = parse\n{gone}\nmade = re.compile({KNOWN!r}, re.I | re.M)"
    assert expressions.tell("made.pattern", program) == KNOWN

"""Serves imports from packs. Runs in every process of the shipped interpreter: CPython 3.9 to 3.15.

`encodings`, the first module that any CPython imports from a file, imports this one, so it imports nothing
but what is built in or frozen. A pack is a file `czscie.pack` in the directory of `sys.path` whose modules it
holds (docs/explained/packing.md has its format). Its finder takes the place of that directory's FileFinder,
and of those of the packages below: the order of `sys.path` decides as ever, and what is not in the pack is
looked for on the disk.

What importlib itself asks the disk for, it finds in packs where the disk has it not: loaders and finders that
programs make of importlib's classes, with a name and a path, know nothing of packs and work all the same.
"""

import marshal
import sys

import _imp
import _io
import _thread
import _frozen_importlib_external as _external
from _frozen_importlib import ModuleSpec, _load, _lock_unlock_module
from _frozen_importlib_external import (
    MAGIC_NUMBER,
    ExtensionFileLoader,
    FileFinder,
    FileLoader,
    SourceFileLoader,
    SourceLoader,
    _get_supported_file_loaders,
    _os,
    _path_isabs,
    _path_join,
    path_sep,
)

NAME = "czscie.pack"
MAGIC = b"czpack1\n"
#: MAGIC, CPython's own magic number, the size of the index (little-endian).
HEADER = 16
#: How the lines of a directory begin in which there is nothing more to be found.
COMPLETE = b"="
#: Enough for the index of a standard library: one read.
_FIRST_READ = 1 << 16
_OPEN = (
    _os.O_RDONLY | getattr(_os, "O_CLOEXEC", 0) | getattr(_os, "O_BINARY", 0) | getattr(_os, "O_NOINHERIT", 0)
)
_LOADERS = _get_supported_file_loaders()
#: How names of bytecode files end; None where the optimization level would be part of it.
_CACHE_TAG = None if sys.flags.optimize else "." + sys.implementation.cache_tag + ".pyc"


class Pack:
    """A pack and the directory it stands for.

    No descriptor stays open: a program that becomes a daemon closes those it does not know, and then the next
    file that is opened has the number.
    """

    def __init__(self, root):
        """Raises OSError when there is none at `root`, ImportError when it is another Python's.

        Raises ValueError when it is damaged.
        """
        self.root = root + path_sep
        self.path = self.root + NAME
        self._end = sys.maxsize
        head = self.read(0, _FIRST_READ)
        size = int.from_bytes(head[12:HEADER], "little")
        if head[:8] != MAGIC or head[8:12] != MAGIC_NUMBER:
            raise ImportError(self.path + " was packed for another Python", path=self.path)
        index = head[HEADER : HEADER + size]
        if len(index) < size:
            index += self.read(len(head), size - len(index))
        # The lines of the modules of each directory, whose name is relative to the root and has `/`.
        try:
            self.codec, self.directories, self._expressions, *rest = marshal.loads(index)
        except (EOFError, TypeError, ValueError) as error:
            raise ValueError(self.path + " is damaged") from error
        if rest:  # the second file of a pack in two, and where it begins
            self._rest, self._end = rest[0]
        #: Where the sources are that were decompressed last, and they.
        self.block = None, b""

    def read(self, offset, size):
        path = self.path
        if offset >= self._end:
            path, offset = self.root + self._rest, offset - self._end
        descriptor = _os.open(path, _OPEN)
        try:
            if offset:
                _os.lseek(descriptor, offset, 0)
            data = _os.read(descriptor, size)
            while len(data) < size and (more := _os.read(descriptor, size - len(data))):
                data += more
            return data
        finally:
            _os.close(descriptor)

    def key(self, path):
        """The pack's name of the directory `path`; None if it has no such directory."""
        path += path_sep
        if not path.startswith(self.root):
            return None
        key = path[len(self.root) :]
        if path_sep != "/":
            key = key.replace(path_sep, "/")
        return key if key in self.directories else None

    def expression(self, key):
        """The marshalled regular expression whose hash is `key`, 8 bytes; None where there is none."""
        at = self._expressions.find(key)
        while at % 16:
            if at < 0:
                return None
            at = self._expressions.find(key, at + 1)
        record = self._expressions[at + 8 : at + 16]
        try:
            return self.read(int.from_bytes(record[:4], "little"), int.from_bytes(record[4:], "little"))
        except OSError:  # in another root, uninstalled, or no descriptor is left
            return None


def find(lines, name):
    """The fields of the module `name` in `lines`, a list of bytes; None where it has no line."""
    key = b"\n" + name.encode("utf-8", "surrogatepass") + b"\t"
    start = lines.find(key)
    if start < 0:
        return None
    start += len(key)
    return lines[start : lines.find(b"\n", start)].split()


class PackFinder(FileFinder):
    """Finds the modules of one directory: those of the pack, then those that are files of it.

    The directory need not exist. It is a FileFinder because programs ask: pkg_resources looks for
    distributions only where one is.
    """

    def __init__(self, pack, path, key):
        super().__init__(path, *_LOADERS)
        self._pack = pack
        self._key = key
        self._lines = pack.directories[key]
        self._base = self.path.rstrip(path_sep) + path_sep

    def find_spec(self, fullname, target=None):
        name = fullname.rpartition(".")[2]
        below = self._pack.directories.get(self._key + name + "/")
        if below is not None and (fields := find(below, "__init__")) is not None:
            path = self._base + name
            return self._spec(fullname, path + path_sep, "__init__", fields, [path])
        if (fields := find(self._lines, name)) is not None:
            return self._spec(fullname, self._base, name, fields, None)
        spec = None if self._lines.startswith(COMPLETE) else super().find_spec(fullname, target)
        if spec is None and below is not None:
            spec = ModuleSpec(fullname, None)
            spec.submodule_search_locations = [self._base + name]
        return spec

    def _spec(self, fullname, base, name, fields, locations):
        path = base + name + ".py"
        _places[path] = self._pack, fields[0], fields[1]
        kind = _AdaptingLoader if fullname in _ADAPTED else SourceFileLoader
        spec = ModuleSpec(fullname, kind(fullname, path), origin=path)
        spec.submodule_search_locations = locations
        spec._set_fileattr = True
        if _CACHE_TAG is not None and sys.pycache_prefix is None:
            # What the property would find out, at a tenth of its cost.
            spec._cached = base + "__pycache__" + path_sep + name + _CACHE_TAG
        return spec

    #: Of the disk alone: what the pack has is found before.
    _fill_cache = FileFinder._fill_cache


PackFinder.__name__ = FileFinder.__name__


class _AdaptingLoader(SourceFileLoader):
    """Loads a module of the standard library that knows about files, and tells it of packs."""

    def exec_module(self, module):
        super().exec_module(module)
        _ADAPTED[module.__name__](module)
        module.__loader__ = module.__spec__.loader = SourceFileLoader(self.name, self.path)


# What importlib asks the disk for. -------------------------------------------------------------------------

_get_code = SourceFileLoader.get_code
_set_data = SourceFileLoader.set_data
_fill_cache = FileFinder._fill_cache
_open_code = _io.open_code
#: Of the modules that have been found in packs, by the path of the source: pack, offset and size of the code.
_places = {}
_GONE = (FileNotFoundError, NotADirectoryError)
_UNREADABLE = (FileNotFoundError, NotADirectoryError, PermissionError)
_DIRECTORY, _REGULAR = 0o040000, 0o100000


def get_code(self, fullname):
    """SourceFileLoader's: takes the bytecode of the pack, compiles nothing."""
    place = _places.get(self.path) if isinstance(self.path, str) else None
    if place is None or not _is_plain(type(self)):
        return _get_code(self, fullname)
    if sys.flags.optimize and not fullname.startswith("_czscie_"):  # the pack's bytecode is not
        try:
            return _get_code(self, fullname)
        except OSError:
            pass  # without its source it cannot be
    path = self.get_filename(fullname)  # which raises if it is another's
    pack, offset, size = place
    try:
        data = pack.read(int(offset), int(size))
    except FileNotFoundError as error:  # in another root, or uninstalled: then files would not be found
        raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname) from error
    code = marshal.loads(data)
    _imp._fix_co_filename(code, path)
    return code


def get_data(self, path):
    """FileLoader's."""
    try:
        if isinstance(self, (SourceLoader, ExtensionFileLoader)):
            with _open_code(str(path)) as file:
                return file.read()
        with _io.FileIO(path, "r") as file:
            return file.read()
    except _GONE:
        found = _ask("data", str(path), _is_plain(type(self)))
        if found is None:
            raise
        return found


def set_data(self, path, data, *, _mode=0o666):
    """SourceFileLoader's, which takes the directories of packed modules for there."""
    _ask("make_directory", path.rpartition(path_sep)[0])
    _set_data(self, path, data, _mode=_mode)


def path_stat(path):
    """importlib's `os.stat`."""
    try:
        return _os.stat(path)
    except _GONE:
        if not isinstance(path, str) or path.endswith(_NEVER):
            raise
        found = _ask("stat", path)
        if found is None:
            raise
        return found


def fill_cache(self):
    """FileFinder's, which lists its directory."""
    _fill_cache(self)
    pack, key = directory(self.path)
    if pack is not None:
        names = _ask("names_in", pack, key) or ()
        self._path_cache.update(names)
        if hasattr(self, "_relaxed_path_cache"):
            self._relaxed_path_cache.update(map(str.lower, names))


def open_code(path):
    """`io.open_code`."""
    try:
        return _open_code(path)
    except _GONE:
        found = source(path)
        if found is None:
            raise
        return _io.BytesIO(found)


def get_resource_reader(self, module):
    """FileLoader's before 3.10, which reads the resources itself."""
    return _ask("reader", self) if self.is_package(module) else None


def _is_plain(kind):
    """Whether a class of loaders makes of a source what importlib makes of it.

    Others want to see the source, not bytecode that is made of it already.
    """
    return kind is SourceFileLoader or (
        kind.get_data is FileLoader.get_data
        and getattr(kind, "source_to_code", _source_to_code) is _source_to_code
    )


_source_to_code = SourceLoader.source_to_code

# What is in the packs. -------------------------------------------------------------------------------------

_packs = []
#: Directories of `sys.path` and the like of which no pack knows.
_foreign = set()
#: What CPython asks for at each start, and what is in no pack.
_NEVER = (".zip", path_sep + "lib-dynload")


def directory(path):
    """The pack that has the directory `path`, and what it is called there; (None, None) where none has.

    A path may be spelled with `..`, and lead through links.
    """
    if path in _foreign or path.endswith(_NEVER):
        return None, None
    spelled = _absolute(path)
    if spelled is None:
        return None, None
    found = _known(spelled)
    if found[0] is None and (real := _real(spelled)) != spelled:
        found = _known(real)
    return found


def _known(path):
    for pack in _packs:
        key = pack.key(path)
        if key is not None:
            return pack, key
    return None, None


def _absolute(path):
    if path_sep != "/":
        path = path.replace("/", path_sep)
    if not _path_isabs(path):
        try:
            path = _path_join(_os.getcwd(), path)
        except OSError:  # it is gone
            return None
    return path.rstrip(path_sep)


def _real(path):
    """The path without links, `.` and `..`; itself as long as nobody has imported `os`."""
    paths = sys.modules.get("os.path")
    try:
        return path if paths is None else paths.realpath(path)
    except (OSError, ValueError, AttributeError):
        return path


def source(path):
    """The source of the module that is the file `path`, bytes; None where no pack has it."""
    return _ask("source", path)


def _ask(question, *about):
    """The result of the function `question` of `_czscie_paths`; None while it cannot be called."""
    answer = _answering(question)
    return None if answer is None else answer(*about)


def _answering(question):
    """The function `question` of `_czscie_paths`; None while that module is imported, or cannot be any more.

    It is not looked for on `sys.path`: that is where the question comes from.
    """
    try:
        paths = sys.modules.get("_czscie_paths")
        if paths is None:
            paths = _load(_library.find_spec("_czscie_paths"))
        answer = getattr(paths, question, None)
        if answer is None:
            _lock_unlock_module("_czscie_paths")  # another thread may be at it
            answer = getattr(paths, question, None)
        return answer
    except Exception:  # uninstalled, or the process ends and has no modules any more
        return None


def path_hook(path):
    """The finder of the directory `path` if a pack has it. Raises ImportError if none has."""
    if not isinstance(path, str):  # pkgutil hands on what it is given
        raise ImportError("not a string", path=path)
    spelled = None if path.endswith(_NEVER) else _absolute(path)
    pack = key = None
    if spelled is not None:
        pack, key = _found(spelled)
        if pack is None and (real := _real(spelled)) != spelled:
            pack, key = _found(real)
    if pack is None:
        if len(_foreign) < _MOST:
            _foreign.add(path)
        raise ImportError("not in a pack", path=path)
    return _finder_of_another(path) or PackFinder(pack, path, key)


def _finder_of_another(path):
    """The finder of a hook that the program put before importlib's, if there is one: it takes our place."""
    hooks = sys.path_hooks
    if len(hooks) <= len(_hooks) or path_hook not in hooks:
        return None
    for hook in hooks[hooks.index(path_hook) + 1 :]:
        if hook is _hooks[-1]:
            break
        if hook not in _hooks:
            try:
                return hook(path)
            except ImportError:
                pass
    return None


def _found(path):
    """What `_known` returns when the pack has been read that may be at `path` or above.

    Raises what Pack raises.
    """
    known = _known(path)
    if known[0] is None:
        folded = path.lower() + path_sep
        for name in _ROOTS:
            at = folded.rfind(path_sep + name + path_sep)
            root = path[: at + len(name) + 1]
            if at >= 0 and root not in _asked:
                _asked.add(root)
                try:
                    _packs.append(Pack(root))
                except _UNREADABLE:
                    continue
                known = _known(path)
    return known


#: Where packs have been looked for.
_asked = set()

# Modules that know about files themselves. -----------------------------------------------------------------


def _replace(owner, name, by):
    """Lets the function `by` of `_czscie_paths` take the place of one, which is its first argument."""
    of = getattr(owner, name)

    def function(*args, **kwargs):
        answer = _answering(by)
        return of(*args, **kwargs) if answer is None else answer(of, *args, **kwargs)

    setattr(owner, name, _named(function, of))
    return function


def _named(function, of):
    """`function`, which takes the place of the function `of`."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(function, name, getattr(of, name))
    return function


def _adapt_linecache(linecache):
    _replace(linecache, "updatecache", "update_lines")


def _adapt_inspect(inspect):
    _replace(inspect, "getsourcefile", "source_file")


def _adapt_metadata(metadata):
    _replace(metadata.PathDistribution, "locate_file", "locate_file")


def _adapt_pkgutil(pkgutil):
    listed = _replace(pkgutil, "_iter_file_finder_modules", "iter_modules")
    pkgutil.iter_importer_modules.register(FileFinder, listed)


def _adapt_others(module):
    from _czscie_library import adapt

    adapt(module)


def _adapt_regular_expressions(re):
    """Lets it take from packs what was compiled when they were made.

    Not a function around `re`'s own: it would be one more between a warning and whoever is to blame for it.
    """
    re._cache = _Expressions(re._cache)


class _Expressions(dict):
    """The cache of `re`: has what packs have."""

    def __missing__(self, key):  # before 3.12
        found = _expression(*key)
        if found is None:
            raise KeyError(key)
        self._make_room()
        self[key] = found
        return found

    def pop(self, key, default=None):  # from 3.12 on; what is popped is put in again
        found = super().pop(key, None)
        if found is None:
            found = _expression(*key)
            if found is None:
                return default
            self._make_room()
        return found

    def _make_room(self):
        if len(self) >= _MOST:
            try:
                del self[next(iter(self))]
            except (StopIteration, RuntimeError, KeyError):  # another thread is at it
                pass


def _expression(kind, pattern, flags):
    """The compiled regular expression as a pack has it; None where none has."""
    if type(flags) is not int or not 0 <= flags < 1 << 31:
        return None
    if kind is str:
        key = _imp.source_hash(flags << 1, pattern.encode("utf-8", "surrogatepass"))
    elif kind is bytes:
        key = _imp.source_hash(flags << 1 | 1, pattern)
    else:
        return None
    for pack in _packs:
        entry = pack.expression(key)
        if entry is not None:
            known, of_flags, final, code, *rest = marshal.loads(entry)
            if known == pattern and of_flags == flags:
                import _sre

                return _sre.compile(pattern, final, memoryview(code).cast("I").tolist(), *rest)
    return None


#: The most that is kept of what programs can make as many of as they like.
_MOST = 512
_ADAPTED = {
    "importlib.metadata": _adapt_metadata,
    "importlib_metadata": _adapt_metadata,
    "inspect": _adapt_inspect,
    "linecache": _adapt_linecache,
    "pkgutil": _adapt_pkgutil,
    "re": _adapt_regular_expressions,
    **dict.fromkeys(
        (
            *("importlib._common", "importlib.resources._common", "importlib_resources._common"),
            *("importlib.readers", "importlib.resources.readers", "importlib_resources.readers"),
            *("imp", "compileall", "modulefinder", "pdb", "pydoc", "tabnanny", "trace", "unittest.loader"),
            "zipfile",
        ),
        _adapt_others,
    ),
}


def _showing_lines(show):
    """`show`, which prints a traceback in C and opens the files for its lines, opening packed sources too.

    It holds all that it needs: it may be called when the modules are gone.
    """

    def hook(*arguments):
        try:
            from _czscie_sources import opened
        except:  # noqa: E722 (even the names of exceptions may be gone)
            return show(*arguments)
        with opened(source):
            return show(*arguments)

    return _named(hook, show)


def _install():
    """Lets importlib use packs, the one beside this module and those in site-packages."""
    # Importlib's own frames, which these are, are not shown in tracebacks and not counted by warnings.
    _imp._fix_co_filename(sys._getframe(1).f_code, _get_code.__code__.co_filename)
    library = _library.path
    _ROOTS.append(library.rpartition(path_sep)[2].lower())
    _packs.append(_library._pack)
    _asked.add(library)
    sys.path_importer_cache[library] = _library
    sys.path_hooks.insert(0, path_hook)
    _hooks.extend(sys.path_hooks)
    SourceFileLoader.get_code = get_code
    SourceFileLoader.set_data = set_data
    FileLoader.get_data = get_data
    FileFinder._fill_cache = fill_cache
    if hasattr(FileLoader, "contents"):  # before 3.10
        FileLoader.get_resource_reader = get_resource_reader
    _external._path_stat = path_stat
    for module in (_io, sys.modules.get("io")):
        if module is not None:
            module.open_code = open_code
    sys.unraisablehook = sys.__unraisablehook__ = _showing_lines(sys.unraisablehook)
    if sys.version_info < (3, 13):  # from then on Python's own traceback prints the others
        sys.excepthook = sys.__excepthook__ = _showing_lines(sys.excepthook)
        _thread._excepthook = _showing_lines(_thread._excepthook)


#: `sys.path_hooks` as they were with ours; the last is importlib's.
_hooks = []
#: Names of directories where a pack may be, in lower case: Windows does not tell cases apart.
_ROOTS = ["site-packages"]
_HERE = __file__.rpartition(path_sep)[0]
#: Finds what is beside this module.
_library = PackFinder(Pack(_HERE), _HERE, "")
_install()

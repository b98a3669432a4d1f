"""Serves imports from packs. Runs in every process of the shipped interpreter: CPython 3.9 to 3.15.

`encodings`, the first module that any CPython imports from a file, imports this one, so it imports nothing
but what is built in or frozen. A pack is a file `czscie.pack` in the directory of `sys.path` whose modules it
holds (docs/packing.md has its format). Its finder takes the place of that directory's FileFinder, and of
those of the packages below: the order of `sys.path` decides as ever, and what is not in the pack is looked
for on the disk.
"""

import marshal
import sys

import _imp
import _thread
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import (
    MAGIC_NUMBER,
    FileFinder,
    SourceFileLoader,
    _get_supported_file_loaders,
    _os,
    _path_isabs,
    _path_join,
    decode_source,
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
            raise ImportError(self.path + " is of another Python", path=self.path)
        index = head[HEADER : HEADER + size]
        if len(index) < size:
            index += self.read(len(head), size - len(index))
        # The lines of the modules of each directory, whose name is relative to the root and has `/`.
        try:
            self._codec, self._directories, self._expressions, *rest = marshal.loads(index)
        except (EOFError, TypeError, ValueError) as error:
            raise ValueError(self.path + " is damaged") from error
        if rest:  # the second file of a pack in two, and where it begins
            self._rest, self._end = rest[0]
        self._block = None, b""

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

    def lines(self, path):
        """The lines of the directory `path`; None where the pack has no such directory."""
        path += path_sep
        if not path.startswith(self.root):
            return None
        directory = path[len(self.root) :]
        return self._directories.get(directory if path_sep == "/" else directory.replace(path_sep, "/"))

    def modules(self, path):
        """The names of the modules in the directory `path`, packages left out."""
        names = (line.partition(b"\t")[0] for line in self.lines(path).splitlines()[1:])
        return [
            name.decode("utf-8", "surrogatepass")
            for name in names
            if name != b"__init__" and b"." not in name
        ]

    def packages(self, path):
        """The names of the regular packages in the directory `path`."""
        for name in self.directories(path):
            if find(self.lines(path + path_sep + name), "__init__"):
                yield name

    def directories(self, path):
        """The names of the directories in the directory `path` that have modules somewhere below."""
        above = (path + path_sep)[len(self.root) :].replace(path_sep, "/")
        for directory in self._directories:
            if directory.startswith(above):
                name, separator, below = directory[len(above) :].partition("/")
                if separator and not below:
                    yield name

    def source(self, path):
        """The source of the module that is the file `path`, bytes; None where the pack has it not."""
        fields = self._of_source(path)
        if fields is None:
            return None
        block, size, offset, length = map(int, fields)
        kept = self._block  # which another thread may replace
        if kept[0] != block:
            kept = self._block = block, self._decode(self.read(block, size))
        return kept[1][offset : offset + length]

    def has_source(self, path):
        """Whether the pack has the source of the module that is the file `path`."""
        return self._of_source(path) is not None

    def _of_source(self, path):
        directory, _, name = path.rpartition(path_sep)
        lines = self.lines(directory) if name.endswith(".py") else None
        fields = None if lines is None else find(lines, name[:-3])
        return None if fields is None or len(fields) < 6 else fields[2:]

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

    def _decode(self, block):
        if self._codec == "xz":
            from _lzma import LZMADecompressor

            return LZMADecompressor().decompress(block)
        from zlib import decompress

        return decompress(block)


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

    def __init__(self, pack, path, lines):
        super().__init__(path, *_LOADERS)
        self._pack = pack
        self._lines = lines

    def find_spec(self, fullname, target=None):
        name = fullname.rpartition(".")[2]
        path = self.path + path_sep + name
        below = self._pack.lines(path)
        if below is not None and (fields := find(below, "__init__")) is not None:
            return self._spec(fullname, path, "__init__", fields, [path])
        if (fields := find(self._lines, name)) is not None:
            return self._spec(fullname, self.path, name, fields, None)
        spec = None if self._lines.startswith(COMPLETE) else super().find_spec(fullname, target)
        if spec is None and below is not None:
            spec = ModuleSpec(fullname, None)
            spec.submodule_search_locations = [path]
        return spec

    def _spec(self, fullname, directory, name, fields, locations):
        path = directory + path_sep + name + ".py"
        kind = _AdaptingLoader if fullname in _ADAPTED else PackLoader
        loader = kind(fullname, path, self._pack, fields)
        spec = ModuleSpec(fullname, loader, origin=path)
        spec.submodule_search_locations = locations
        spec._set_fileattr = True
        if _CACHE_TAG is not None and sys.pycache_prefix is None:
            # What the property would find out, at a tenth of its cost.
            spec._cached = directory + path_sep + "__pycache__" + path_sep + name + _CACHE_TAG
        return spec

    def iter_modules(self, prefix=""):
        """What `pkgutil.iter_modules` asks for: pairs of a name with `prefix` and whether it is a package."""
        from pkgutil import _iter_file_finder_modules

        found = dict(_iter_file_finder_modules(self, prefix))
        for name in self._pack.modules(self.path):
            found[prefix + name] = False
        for name in self._pack.packages(self.path):
            found[prefix + name] = True
        return iter(sorted(found.items()))


class PackLoader(SourceFileLoader):
    """Loads a module from a pack: a SourceFileLoader whose source need not be a file."""

    def __init__(self, fullname, path, pack, fields):
        super().__init__(fullname, path)
        self._pack = pack
        self._fields = fields

    def get_code(self, fullname):
        if sys.flags.optimize:  # the pack's bytecode is not
            try:
                return super().get_code(fullname)
            except OSError:
                pass  # without its source it cannot be
        try:
            data = self._pack.read(int(self._fields[0]), int(self._fields[1]))
        except FileNotFoundError as error:  # in another root, or uninstalled: then files would not be found
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname) from error
        code = marshal.loads(data)
        _imp._fix_co_filename(code, self.get_filename(fullname))  # which raises if it is another's
        return code

    def path_stats(self, path):
        """By which bytecode that is compiled here, with -O, is known to be its source's."""
        try:
            return super().path_stats(path)
        except OSError:
            if path != self.path or len(self._fields) < 6:
                raise
            return {"mtime": _os.stat(self._pack.path).st_mtime, "size": int(self._fields[5])}

    def get_data(self, path):
        try:
            return super().get_data(path)
        except OSError:
            source = self._pack.source(path)
            if source is None:
                raise
            return source

    def get_resource_reader(self, module):
        from _czscie_resources import PackReader

        return PackReader(self, self._pack)


class _AdaptingLoader(PackLoader):
    """Tells a module that knows what is in the directories of FileFinders that a pack knows better."""

    def exec_module(self, module):
        super().exec_module(module)
        _ADAPTED[module.__name__](module)


def _adapt_pkgutil(pkgutil):
    pkgutil.iter_importer_modules.register(PackFinder, PackFinder.iter_modules)


def _adapt_linecache(linecache):
    """Lets it know the lines of packed modules, even of those who tell it no module, or another."""
    update = linecache.updatecache

    def updatecache(filename, module_globals=None):
        found = source(filename) if isinstance(filename, str) else None
        if found is None:
            return update(filename, module_globals)
        text = decode_source(found)
        # Not splitlines: form feeds do not end lines of a file.
        lines = [line + "\n" for line in text.removesuffix("\n").split("\n")]
        linecache.cache[filename] = len(text), None, lines, filename
        return lines

    linecache.updatecache = updatecache


def _adapt_metadata(metadata):
    """Lets it find packed modules among the files of distributions: it leaves out those that do not exist."""
    locate = metadata.PathDistribution.locate_file

    def locate_file(self, path):
        found = locate(self, path)
        for pack in _packs:
            if pack.has_source(str(found)):
                from _czscie_resources import PackedSource

                return PackedSource(found, pack)
        return found

    metadata.PathDistribution.locate_file = locate_file


def _adapt_regular_expressions(compiler):
    """Lets it take from packs what was compiled when they were made."""
    import _sre

    compile = compiler.compile

    def compile_or_take(p, flags=0):
        if type(p) is str:
            key = _imp.source_hash(flags << 1, p.encode("utf-8", "surrogatepass"))
        elif type(p) is bytes:
            key = _imp.source_hash(flags << 1 | 1, p)
        else:
            return compile(p, flags)
        for pack in _packs:
            entry = pack.expression(key)
            if entry is not None:
                pattern, of_flags, final, code, *rest = marshal.loads(entry)
                if pattern == p and of_flags == flags:
                    return _sre.compile(p, final, memoryview(code).cast("I").tolist(), *rest)
        return compile(p, flags)

    compiler.compile = compile_or_take


_ADAPTED = {
    "importlib.metadata": _adapt_metadata,
    "importlib_metadata": _adapt_metadata,
    "linecache": _adapt_linecache,
    "pkgutil": _adapt_pkgutil,
    "re._compiler" if sys.version_info >= (3, 11) else "sre_compile": _adapt_regular_expressions,
}


_packs = []


def source(path):
    """The source of the module that is the file `path`, bytes; None where no pack has it."""
    for pack in _packs:
        found = pack.source(path)
        if found is not None:
            return found
    return None


def path_hook(path):
    """The finder of the directory `path` if a pack has it. Raises ImportError if none has."""
    if not isinstance(path, str):  # pkgutil hands on what it is given
        raise ImportError("not a string", path=path)
    if path_sep != "/":
        path = path.replace("/", path_sep)
    if not _path_isabs(path):
        path = _path_join(_os.getcwd(), path)
    path = path.rstrip(path_sep)
    for pack in _packs:
        lines = pack.lines(path)
        if lines is not None:
            return PackFinder(pack, path, lines)
    if path.rpartition(path_sep)[2].lower() in _ROOTS:
        try:
            return _finder(path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            pass
    raise ImportError("not in a pack", path=path)


def _finder(root):
    pack = Pack(root)
    _packs.append(pack)
    return PackFinder(pack, root, pack.lines(root))


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

    hook.__module__, hook.__name__, hook.__doc__ = show.__module__, show.__name__, show.__doc__
    return hook


def _install():
    """Lets the pack beside this module serve imports, and those in site-packages."""
    library = __file__.rpartition(path_sep)[0]
    _ROOTS.append(library.rpartition(path_sep)[2].lower())
    sys.path_importer_cache[library] = _finder(library)
    sys.path_hooks.insert(0, path_hook)
    sys.unraisablehook = sys.__unraisablehook__ = _showing_lines(sys.unraisablehook)
    if sys.version_info < (3, 13):  # from then on Python's own traceback prints the others
        sys.excepthook = sys.__excepthook__ = _showing_lines(sys.excepthook)
        _thread._excepthook = _showing_lines(_thread._excepthook)


#: Names of directories where a pack may be, in lower case: Windows does not tell cases apart.
_ROOTS = ["site-packages"]
_install()

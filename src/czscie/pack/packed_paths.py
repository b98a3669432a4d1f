"""The content of packs by path. Runs in the shipped interpreter: CPython 3.9 to 3.15.

The finder calls it when the disk has nothing at a path, which may be while the first modules are imported: so
this imports no module that is a file.
"""

import sys

import _czscie_finder as finder
from _czscie_finder import (
    _CACHE_TAG,
    _GONE,
    MAGIC_NUMBER,
    _os,
    _path_isabs,
    _path_join,
    directory,
    find,
    path_sep,
)
from _frozen_importlib_external import decode_source

_DIRECTORY, _REGULAR = 0o040000, 0o100000
#: How many fields a module has whose source is in the pack.
_WITH_SOURCE = 6
#: What linecache has of an empty file.
_EMPTY = ("\n",) if sys.version_info >= (3, 13) else ()


def module(path):
    """The pack and the fields of the module that is the file `path`; (None, None) where no pack has it."""
    if not path.endswith(".py"):
        return None, None
    if path_sep != "/":
        path = path.replace("/", path_sep)
    parent, _, name = path.rpartition(path_sep)
    pack, key = directory(parent or ".")
    fields = None if pack is None else find(pack.directories[key], name[:-3])
    if fields is None and parent and (real := finder._real(path)) != path:  # a link to a file
        parent, _, name = real.rpartition(path_sep)
        pack, key = finder._known(parent)
        fields = None if pack is None or name[-3:] != ".py" else find(pack.directories[key], name[:-3])
    return (None, None) if fields is None else (pack, fields)


def has_source(path):
    """Whether the file `path` is a module whose source is in a pack."""
    pack, fields = module(path)
    return pack is not None and len(fields) >= _WITH_SOURCE


def source(path):
    """The source of the module that is the file `path`, bytes; None where no pack has it."""
    pack, fields = module(path)
    if pack is None or len(fields) < _WITH_SOURCE:
        return None
    block, size, offset, length = map(int, fields[2:])
    kept = pack.block  # which another thread may replace
    if kept[0] != block:
        try:
            kept = pack.block = block, _decode(pack.codec, pack.read(block, size))
        except FileNotFoundError:  # uninstalled
            return None
    return kept[1][offset : offset + length]


def _decode(codec, block):
    if codec == "xz":
        from _lzma import LZMADecompressor

        return LZMADecompressor().decompress(block)
    from zlib import decompress

    return decompress(block)


def data(path, cached):
    """The bytes of the file `path`; None if no pack has it. With `cached`, also those of bytecode."""
    found = source(path)
    return _bytecode(path) if found is None and cached else found


def _bytecode(path):
    """The file of bytecode that CPython would have written at `path`; None where no pack has its module."""
    if _CACHE_TAG is None or not path.endswith(_CACHE_TAG):
        return None
    parent, _, name = path.rpartition(path_sep)
    parent, _, cache = parent.rpartition(path_sep)
    of = parent + path_sep + name[: -len(_CACHE_TAG)] + ".py"
    pack, fields = module(of) if cache == "__pycache__" else (None, None)
    told = None if pack is None else stat(of)
    if told is None:
        return None
    head = (0, int(told.st_mtime) & 0xFFFFFFFF, told.st_size & 0xFFFFFFFF)
    code = pack.read(int(fields[0]), int(fields[1]))
    return MAGIC_NUMBER + b"".join(part.to_bytes(4, "little") for part in head) + code


def stat(path):
    """The result of `os.stat` for a module or directory that is in a pack; None if it is in none."""
    try:
        pack, fields = module(path)
        if pack is not None and len(fields) >= _WITH_SOURCE:
            return _stat(pack.path, _REGULAR, int(fields[0]), int(fields[5]))
        pack, key = directory(path)
        if pack is not None:
            return _stat(pack.root, _DIRECTORY, hash(key) & 0xFFFFFFFFFFFF, 4096)
    except OSError:
        pass
    return None


def _stat(like, kind, number, size):
    told = _os.stat(like)
    items = list(told)
    items[0] = kind | items[0] & 0o777
    items[1] = number
    items[6] = size
    return _os.stat_result(items, told.__reduce__()[1][1])


def names_in(pack, key):
    """What `os.listdir` would list of the directory `key` of a pack: modules whose source is in it, and
    directories.
    """
    names = dict.fromkeys(_directories(pack, key))
    for name, fields in _modules(pack, key):
        if len(fields) >= _WITH_SOURCE:
            names[name + ".py"] = None
    return list(names)


def has_sources(pack, key):
    """Whether a module in the directory `key` of a pack, or below it, has its source in the pack."""
    return any(
        len(fields) >= _WITH_SOURCE
        for below in pack.directories
        if below.startswith(key)
        for _, fields in _modules(pack, below)
    )


def _modules(pack, key):
    for line in pack.directories[key].splitlines()[1:]:
        name, _, fields = line.partition(b"\t")
        yield name.decode("utf-8", "surrogatepass"), fields.split()


def _directories(pack, key):
    """The names of the directories in the directory `key` that have modules somewhere below."""
    for below in pack.directories:
        if below.startswith(key):
            name, separator, deeper = below[len(key) :].partition("/")
            if separator and not deeper:
                yield name


def make_directory(path):
    """Makes the directory of a module's bytecode. Where that cannot be, there is none."""
    parent = path.rpartition(path_sep)[0]
    try:
        _os.mkdir(path)
    except _GONE:
        if directory(parent)[0] is not None:
            make_directory(parent)
            try:
                _os.mkdir(path)
            except OSError:
                pass
    except OSError:
        pass


def reader(loader):
    """What CPython 3.9 asks for the resources of the package of `loader`: itself where all are files."""
    path = loader.path.rpartition(path_sep)[0]
    pack, key = directory(path)
    if pack is None or not has_sources(pack, key):
        return loader
    from _czscie_resources import ResourceReader

    return ResourceReader(path)


# In place of functions of the standard library, `of`. ------------------------------------------------------


def update_lines(of, filename, module_globals=None):
    """`linecache.updatecache`: knows packed modules, whichever module, or none, they are said to be."""
    path = filename
    found = source(path) if isinstance(path, str) else None
    if found is None:
        lines = of(filename, module_globals)
        if lines or not isinstance(path, str) or _path_isabs(path) or path.startswith("<"):
            return lines
        for parent in sys.path:
            path = _path_join(parent, filename) if isinstance(parent, str) else ""
            found = source(path)
            if found is not None:
                break
        else:
            return lines
    # Not splitlines: form feeds do not end lines of a file.
    text = decode_source(found)
    lines = [line + "\n" for line in text.removesuffix("\n").split("\n")] if text else list(_EMPTY)
    of.__globals__["cache"][filename] = len(found), None, lines, path
    return lines


def source_file(of, object):
    """`inspect.getsourcefile`: a packed source is there, whatever has been imported."""
    found = of(object)
    if found is None and has_source(path := of.__globals__["getfile"](object)):
        return path
    return found


def locate_file(of, self, path):
    """`PathDistribution.locate_file`, by whose answer those are left out of the files that do not exist."""
    found = of(self, path)
    if has_source(str(found)):
        from _czscie_resources import PackedPath

        return PackedPath(found)
    return found


def iter_modules(of, importer, prefix=""):
    """`pkgutil`'s for a FileFinder, whoever made it."""
    found = {} if importer.path is None else dict(of(importer, prefix))
    pack, key = directory(importer.path)
    if pack is not None:
        for name, _ in _modules(pack, key):
            if name != "__init__" and "." not in name:
                found[prefix + name] = False
        for name in _directories(pack, key):
            if find(pack.directories[f"{key}{name}/"], "__init__") is not None:
                found[prefix + name] = True
    return iter(sorted(found.items()))

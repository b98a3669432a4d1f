"""Views of packs for modules of the standard library that open, list or look for modules' files.

Runs in the shipped interpreter: CPython 3.9 to 3.15. Each of these modules gets views of `os` and the like,
in which packed sources are files and the directories of packed modules exist.
"""

import errno
import os
import sys

import _czscie_finder as finder
import _czscie_paths as paths


def view(module, **names):
    """A module like `module` with other values for some of its names."""
    made = type(module)(module.__name__, module.__doc__)
    made.__dict__.update(names, __file__=getattr(module, "__file__", None))
    made.__getattr__ = lambda name: getattr(module, name)
    return made


def stat(path, *args, **kwargs):
    """`os.stat`."""
    try:
        return os.stat(path, *args, **kwargs)
    except (FileNotFoundError, NotADirectoryError):
        found = paths.stat(os.fspath(path)) if _is_path(path) else None
        if found is None:
            raise
        return found


def listdir(path="."):
    """`os.listdir`."""
    pack, key = finder.directory(os.fspath(path)) if _is_path(path) else (None, None)
    if pack is None:
        if _is_path(path) and paths.has_source(os.fspath(path)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
        return os.listdir(path)
    names = os.listdir(path) if os.path.isdir(path) else []
    return list(dict.fromkeys((*names, *paths.names_in(pack, key))))


def open_file(
    file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None
):
    """`open`."""
    try:
        return open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    except (FileNotFoundError, NotADirectoryError):
        text = paths.source(os.fspath(file)) if opener is None and _is_path(file) else None
        if text is None or not set(mode) <= set("rbtU"):
            raise
        from _czscie_sources import descriptor_of

        return open(file, mode, buffering, encoding, errors, newline, closefd, lambda *_: descriptor_of(text))


def _is_path(path):
    return isinstance(path, (str, os.PathLike)) and isinstance(os.fspath(path), str)


def _exists(path):
    return os.path.exists(path) or _kind(path) is not None


def _isfile(path):
    return os.path.isfile(path) or _kind(path) == "file"


def _isdir(path):
    return os.path.isdir(path) or _kind(path) == "directory"


def _kind(path):
    found = paths.stat(os.fspath(path)) if _is_path(path) else None
    return None if found is None else "directory" if found.st_mode & 0o040000 else "file"


def _tokenize_open(filename):
    """`tokenize.open`."""
    import io
    import tokenize

    buffer = open_file(filename, "rb")
    try:
        encoding, _ = tokenize.detect_encoding(buffer.readline)
        buffer.seek(0)
        text = io.TextIOWrapper(buffer, encoding, line_buffering=True)
        text.mode = "r"
        return text
    except BaseException:
        buffer.close()
        raise


_path_view = view(
    os.path,
    exists=_exists,
    isfile=_isfile,
    isdir=_isdir,
    getsize=lambda path: stat(path).st_size,
    getmtime=lambda path: stat(path).st_mtime,
)
_os_view = view(os, path=_path_view, stat=stat, listdir=listdir)


def adapt(module):
    """Lets a module that has just been imported see packed modules as files."""
    name = module.__name__.rpartition(".")[2]
    if name == "readers" and hasattr(module, "pathlib"):
        module.pathlib = view(module.pathlib, Path=_path_or_packed)
        module.FileReader.resource_path = finder._named(_resource_path, module.FileReader.resource_path)
    elif name == "_common":
        if sys.version_info < (3, 10):
            module.pathlib = view(module.pathlib, Path=_path_or_packed)
        _copying(module)
    elif name != "readers":
        _seeing(module)


def _seeing(module):
    for name, value in (("os", _os_view), ("open", open_file)):
        if name == "open" or hasattr(module, name):
            setattr(module, name, value)
    if hasattr(module, "tokenize"):
        module.tokenize = view(module.tokenize, open=_tokenize_open)


def _path_or_packed(*parts):
    """A `pathlib.Path` that sees packed modules where there are any."""
    import pathlib

    path = pathlib.Path(*parts)
    of = str(path.parent if path.suffix == ".py" else path)
    pack, key = finder.directory(of)
    if pack is None or not paths.has_sources(pack, key):
        return path
    from _czscie_resources import PackedPath

    return PackedPath(path)


def _resource_path(self, resource):
    from _czscie_resources import on_disk

    return str(on_disk(self.path.joinpath(resource)))


def _copying(common):
    """Lets `as_file` copy what is in a pack, which is a path like any other."""
    import contextlib
    import pathlib

    of = common.as_file.dispatch(pathlib.Path)

    @contextlib.contextmanager
    def as_file(path):
        if not isinstance(path, pathlib.Path) or type(path).__module__ != "_czscie_resources":
            with of(path) as found:
                yield found
        else:
            from _czscie_resources import on_disk

            yield on_disk(path)

    common.as_file.register(pathlib.Path, as_file)

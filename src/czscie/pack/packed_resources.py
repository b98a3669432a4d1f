"""Paths of packed modules, as `importlib.resources` shows them.

Runs in the shipped interpreter: CPython 3.9 to 3.15, any platform. With files a resource is a `pathlib.Path`,
and programs use it as one. So it is here.
"""

import atexit
import errno
import fnmatch
import os
import pathlib
import shutil
import stat
import sys
import tempfile

import _czscie_finder as finder
import _czscie_library as library
import _czscie_paths as packs

_Path = type(pathlib.Path())


class PackedPath(_Path):
    """A path in whose directory, or below it, a pack has modules that are not files.

    It knows nothing but its name: what is there is asked each time, first the disk, then the packs.
    """

    __slots__ = ()

    def stat(self, *, follow_symlinks=True):
        return library.stat(str(self), follow_symlinks=follow_symlinks)

    def lstat(self):
        return self.stat(follow_symlinks=False)

    def exists(self, *, follow_symlinks=True):
        return self._mode(follow_symlinks) is not None

    def is_dir(self, *, follow_symlinks=True):
        return stat.S_ISDIR(self._mode(follow_symlinks) or 0)

    def is_file(self, *, follow_symlinks=True):
        return stat.S_ISREG(self._mode(follow_symlinks) or 0)

    def _mode(self, follow_symlinks=True):
        try:
            return self.stat(follow_symlinks=follow_symlinks).st_mode
        except (OSError, ValueError):
            return None

    def open(self, mode="r", buffering=-1, encoding=None, errors=None, newline=None):
        if self.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self))
        return library.open_file(self, mode, buffering, encoding, errors, newline)

    def read_bytes(self):
        with self.open("rb") as file:
            return file.read()

    def read_text(self, encoding=None, errors=None, newline=None):
        with self.open("r", encoding=encoding, errors=errors, newline=newline) as file:
            return file.read()

    def iterdir(self):
        return iter([self / name for name in library.listdir(self)])

    def resolve(self, strict=False):
        return super().resolve(strict and not self.exists())

    def samefile(self, other_path):
        other = other_path if isinstance(other_path, pathlib.Path) else PackedPath(other_path)
        return os.path.samestat(self.stat(), other.stat())

    def glob(self, pattern, **options):
        return self._found("glob", pattern, options)

    def rglob(self, pattern, **options):
        return self._found("rglob", pattern, options)

    def _found(self, method, pattern, options):
        # The disk's own answer also tells what is wrong with a pattern.
        found = {self / path: None for path in getattr(pathlib.Path(self), method)(pattern, **options)}
        parts = ("**",) * (method == "rglob") + pathlib.PurePath(pattern).parts
        directories = _PARTS_ARE_DIRECTORIES and str(pattern).endswith(("/", os.sep))
        if parts[-1:] == ("**",) and sys.version_info < (3, 13):
            directories = True
        sensitive = options.get("case_sensitive")
        fold = str.lower if (os.name == "nt" if sensitive is None else not sensitive) else str
        for names, is_directory in self._packed():
            if (is_directory or not directories) and _matches(parts, names, fold):
                found.setdefault(self.joinpath(*names))
        return iter(found)

    def _packed(self):
        """The content of the packs below: the names that lead there, and whether it is a directory."""
        pack, key = finder.directory(str(self))
        for directory in () if pack is None else pack.directories:
            if directory.startswith(key):
                names = tuple(directory[len(key) :].split("/")[:-1])
                yield names, True
                for name in packs.names_in(pack, directory):
                    if name.endswith(".py"):
                        yield (*names, name), False

    if sys.version_info < (3, 11) and os.name == "posix":

        def owner(self):
            import pwd

            return pwd.getpwuid(self.stat().st_uid).pw_name

        def group(self):
            import grp

            return grp.getgrgid(self.stat().st_gid).gr_name

    if sys.version_info >= (3, 12):

        def walk(self, top_down=True, on_error=None, follow_symlinks=False):
            try:
                entries = list(self.iterdir())
            except OSError as error:
                if on_error is not None:
                    on_error(error)
                return
            directories, files = [], []
            for entry in entries:
                is_directory = entry.is_dir() and (follow_symlinks or not entry.is_symlink())
                (directories if is_directory else files).append(entry.name)
            if top_down:
                yield self, directories, files
            for name in directories:
                yield from (self / name).walk(top_down, on_error, follow_symlinks)
            if not top_down:
                yield self, directories, files

    if sys.version_info >= (3, 14):

        @property
        def info(self):
            return self


PackedPath.__name__ = _Path.__name__
#: Whether a pattern that ends with a separator finds nothing but directories.
_PARTS_ARE_DIRECTORIES = sys.version_info >= (3, 11)


def _matches(parts, names, fold):
    if not parts:
        return not names
    if parts[0] == "**":
        return _matches(parts[1:], names, fold) or (bool(names) and _matches(parts, names[1:], fold))
    matches = bool(names) and fnmatch.fnmatchcase(fold(names[0]), fold(parts[0]))
    return matches and _matches(parts[1:], names[1:], fold)


#: Copies of what is in packs, by its path.
_copies = {}


def on_disk(path):
    """The path itself where everything is files, else a copy: one for each as long as the process lives."""
    if not _lacks_files(path):
        return pathlib.Path(path)
    if str(path) not in _copies:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="czscie-"))
        atexit.register(_remove, directory, os.getpid())
        _copy(path, directory / path.name)
        _copies[str(path)] = directory / path.name
    return _copies[str(path)]


def _lacks_files(path):
    if packs.has_source(str(path)):
        return not os.path.exists(path)
    pack, key = finder.directory(str(path))
    return pack is not None and packs.has_sources(pack, key)


def _copy(source, target):
    if not source.is_dir():
        target.write_bytes(source.read_bytes())
        return
    target.mkdir()
    for each in source.iterdir():
        if each.name == "__pycache__":
            continue
        if each.is_dir() or not os.path.exists(each):
            _copy(each, target / each.name)
        else:
            shutil.copy2(each, target / each.name)


def _remove(directory, process):
    if os.getpid() == process:  # not in a child that was forked
        shutil.rmtree(directory, ignore_errors=True)


class ResourceReader:
    """The loader's reader of a package's files, for CPython 3.9."""

    def __init__(self, path):
        self._path = PackedPath(path)

    def open_resource(self, resource):
        return (self._path / resource).open("rb")

    def resource_path(self, resource):
        return str(on_disk(self._path / resource))

    def is_resource(self, name):
        return os.sep not in name and (self._path / name).is_file()

    def contents(self):
        return (each.name for each in self._path.iterdir())

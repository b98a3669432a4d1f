"""The resources of packed packages. Runs in the shipped interpreter: CPython 3.9 to 3.15, any platform.

`importlib.resources` sees the directory of a package as if its packed modules were files of it.
"""

import io
import os
import pathlib

try:
    from importlib.resources.abc import Traversable, TraversableResources
except ImportError:  # before 3.11
    from importlib.abc import Traversable, TraversableResources


class PackReader(TraversableResources):
    """What `importlib.resources` asks for the files of one package."""

    def __init__(self, loader, pack):
        self._path = pathlib.Path(loader.path).parent
        self._pack = pack

    def files(self):
        return _directory(self._path, self._pack)

    def is_resource(self, path):  # 3.9's own asks a path for what it has not
        return self.files().joinpath(path).is_file()

    def resource_path(self, resource):
        path = self._path / resource
        if not path.exists():
            raise FileNotFoundError(path)
        return str(path)


def _directory(path, pack):
    """The directory `path`: itself where all that the pack has of it is files."""
    lines = pack.lines(str(path))
    if os.path.isdir(path) and not any(len(line.split()) > 3 for line in lines.splitlines()):
        return path
    return PackedDirectory(path, pack)


class _Packed(Traversable):
    """What is not, or not all, in the file system: otherwise the path that it would be there."""

    def __init__(self, path, pack):
        self._path = path
        self._pack = pack

    @property
    def name(self):
        return self._path.name

    def exists(self):
        return True

    def __getattr__(self, name):
        """Programs ask for more than a Traversable has, such as `glob` and `parent`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._path, name)

    def __fspath__(self):
        return str(self._path)

    __str__ = __fspath__

    def __repr__(self):
        return f"{type(self).__name__}({str(self._path)!r})"


class PackedDirectory(_Packed):
    """A directory of which a pack has modules. It need not exist."""

    def iterdir(self):
        names = set(os.listdir(self._path)) if os.path.isdir(self._path) else set()
        names.update(self._pack.directories(str(self._path)))
        for line in self._pack.lines(str(self._path)).splitlines()[1:]:
            names.add(line.partition(b"\t")[0].decode("utf-8", "surrogatepass") + ".py")
        return map(self.joinpath, sorted(names))

    def joinpath(self, *descendants):
        path = self._path.joinpath(*descendants)
        if self._pack.lines(str(path)) is not None:
            return _directory(path, self._pack)
        if not path.exists() and self._pack.source(str(path)) is not None:
            return PackedSource(path, self._pack)
        return path

    __truediv__ = joinpath

    def is_dir(self):
        return True

    def is_file(self):
        return False

    def open(self, mode="r", *args, **kwargs):
        raise IsADirectoryError(str(self._path))

    def read_bytes(self):
        raise IsADirectoryError(str(self._path))

    def read_text(self, encoding=None):
        raise IsADirectoryError(str(self._path))


class PackedSource(_Packed):
    """The source of a module that a pack has."""

    def iterdir(self):
        raise NotADirectoryError(str(self._path))

    def joinpath(self, *descendants):
        return self._path.joinpath(*descendants)

    __truediv__ = joinpath

    def is_dir(self):
        return False

    def is_file(self):
        return True

    def open(self, mode="r", *args, **kwargs):
        stream = io.BytesIO(self.read_bytes())
        return stream if "b" in mode else io.TextIOWrapper(stream, *args, **kwargs)

    def read_bytes(self):
        return self._pack.source(str(self._path))

    def read_text(self, encoding=None):
        return self.open(encoding=encoding).read()

import importlib
import importlib.abc
import importlib.util
import sys


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name == "made_up" else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.NAME = "made up"


def lazy(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main():
    print(type(lazy("colorsys")).__name__, lazy("wave").open.__name__)
    own = lazy("lazy_modules_part")
    print(type(own).__name__, own.COUNT)
    first = sys.modules["lazy_modules_part"]
    print(
        importlib.reload(first) is first,
        importlib.reload(sys.modules["json"]).__name__ if "json" in sys.modules else None,
    )
    sys.meta_path.insert(0, Finder())
    print(importlib.import_module("made_up").NAME)
    del sys.modules["lazy_modules_part"]
    print(importlib.import_module("lazy_modules_part") is first)

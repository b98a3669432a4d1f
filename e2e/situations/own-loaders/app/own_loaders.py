import colorsys
import importlib.machinery
import importlib.util
import io
import os
import sys
import types
import wave

import own_loaders_part as part


def by_location(module):
    spec = importlib.util.spec_from_file_location("located", module.__file__)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def by_loader(module):
    made = types.ModuleType("loaded")
    importlib.machinery.SourceFileLoader("loaded", module.__file__).exec_module(made)
    return made


def by_finder(module):
    details = (importlib.machinery.SourceFileLoader, [".py"])
    finder = importlib.machinery.FileFinder(os.path.dirname(module.__file__), details)
    spec = finder.find_spec(module.__name__)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def by_open_code(module):
    made = types.ModuleType("opened")
    with io.open_code(module.__file__) as stream:
        exec(compile(stream.read(), module.__file__, "exec"), made.__dict__)
    return made


def by_get_data(module):
    loader = importlib.machinery.SourceFileLoader("data", module.__file__)
    print(len(loader.get_data(module.__file__)) > 10, sorted(loader.path_stats(module.__file__)))
    return {"__name__": loader.name}


class Counting(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(data.replace(b"HLS", b"SLH"), path, _optimize=_optimize)

    def get_code(self, name):
        return self.source_to_code(self.get_data(self.path), self.path)


def by_hook(module):
    hook = importlib.machinery.FileFinder.path_hook((Counting, [".py"]))
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    for name in [name for name in sys.modules if name == module.__name__]:
        del sys.modules[name]
    made = importlib.import_module(module.__name__)
    sys.path_hooks.remove(hook)
    sys.path_importer_cache.clear()
    return type(made.__spec__.loader).__name__


def main():
    for module in (part, colorsys, wave):
        for make in (by_location, by_loader, by_finder, by_open_code, by_get_data, by_hook):
            made = make(module)
            told = (
                sorted(name for name in vars(made) if name[0] != "_")[:3]
                if isinstance(made, types.ModuleType)
                else made
            )
            print(module.__name__, make.__name__, told)

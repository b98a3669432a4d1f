# Runs in whatever Python of the host imports `__pex__` from a CZEX on its sys.path, 2.7 and newer.
"""`sys.path.insert(0, "app.czex"); import __pex__` makes what the CZEX holds importable."""

import importlib
import os
import sys
import types
import zipimport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Alias(object):
    """Finds `__pex__.NAME`, which is the module NAME."""

    def find_spec(self, name, path=None, target=None):
        # type: (str, object, object) -> Any
        if not name.startswith("__pex__."):
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec):
        # type: (Any) -> Any
        module = importlib.import_module(spec.name[len("__pex__.") :])
        self._own = getattr(module, "__spec__", None), getattr(module, "__loader__", None)
        return module

    def exec_module(self, module):
        # type: (Any) -> None
        module.__spec__, module.__loader__ = self._own

    def find_module(self, name, path=None):
        # type: (str, object) -> Any
        return self if name.startswith("__pex__.") else None

    def load_module(self, name):
        # type: (str) -> Any
        sys.modules[name] = importlib.import_module(name[len("__pex__.") :])
        return sys.modules[name]


def _mount():
    # type: () -> None
    czex = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.path.join(czex, "__main__.py")
    main = types.ModuleType("__czex__")
    main.__file__ = path
    exec(compile(zipimport.zipimporter(czex).get_data(path), path, "exec"), main.__dict__)  # noqa: S102
    main.mount(czex, main)
    sys.meta_path.insert(0, _Alias())  # type: ignore[arg-type]


_mount()

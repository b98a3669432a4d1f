import importlib
import importlib.util
from pathlib import Path


def load(path):
    spec = importlib.util.spec_from_file_location(f"plugin_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    own = sorted(path for path in (Path(__file__).parent / "plugins").glob("*.py") if path.stem != "__init__")
    for path in [*own, *sorted(Path("plugins").glob("*.py"))]:
        module = load(path)
        print(module.__name__, module.run(2), Path(module.__file__).name)
    for path in own:
        print(importlib.import_module(f"plugin_directory.plugins.{path.stem}").run(3))

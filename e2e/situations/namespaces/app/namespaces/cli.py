import importlib
import pkgutil
import warnings
from importlib.metadata import entry_points, version
from importlib.resources import files


def main():
    warnings.simplefilter("ignore")
    import nsold.one
    import nsold.two

    print("pkg_resources", nsold.one.NAME, nsold.two.NAME)

    import nspep.one
    import nspep.two

    print("PEP 420", nspep.one.NAME, nspep.two.NAME)
    print("-nspkg.pth", importlib.import_module("nspth.inside").NAME)

    import nsutil.one
    import nsutil.two

    print("pkgutil", nsutil.one.NAME, nsutil.two.NAME)
    print(sorted(point.load() for point in entry_points(group="namespaces.plugins")), version("ns-one"))
    for namespace in (nspep, nsutil, nsold):
        print(sorted(each.name for each in pkgutil.iter_modules(namespace.__path__)))
    print(sorted(each.name for each in files("nspep").iterdir()))
    print(files("nspep").joinpath("one", "__init__.py").read_text())

import glob
import importlib.util
import inspect
import os
import pkgutil
import subprocess
import sys
from importlib.resources import files


def by_stack():
    return os.path.dirname(inspect.stack()[0].filename)


def by_frame():
    return os.path.dirname(inspect.getframeinfo(inspect.currentframe()).filename)


def by_spec():
    return os.path.dirname(importlib.util.find_spec("lf_library").origin)


def by_loader():
    return (
        os.path.dirname(pkgutil.get_loader("lf_library").get_filename())
        if sys.version_info < (3, 12)
        else by_spec()
    )


def by_module():
    return os.path.dirname(sys.modules[__name__].__spec__.loader.path)


def by_code():
    return os.path.dirname(by_code.__code__.co_filename)


def by_resources():
    return str(files("lf_library"))


def tell():
    for find in (by_stack, by_frame, by_spec, by_module, by_code, by_resources):
        found = glob.glob(os.path.join(find(), "steps", "*.py"))
        print(find.__name__, sorted(os.path.basename(path) for path in found))
    worker = str(files("lf_library").joinpath("worker.py"))
    print(subprocess.run([sys.executable, worker], capture_output=True, text=True).stdout)

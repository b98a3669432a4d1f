import glob
import importlib.util
import inspect
import os
import runpy
import subprocess
import sys
from importlib.resources import as_file, files


def run_text():
    worker = str(files("resource_script") / "worker.py")
    return subprocess.run([sys.executable, worker], capture_output=True, text=True).stdout


def run_as_file():
    with as_file(files("resource_script") / "worker.py") as path:
        return subprocess.run([sys.executable, path], capture_output=True, text=True).stdout


def run_path():
    return runpy.run_path(str(files("resource_script.plugins") / "one.py"))["NAME"]


def globbed():
    return sorted(path.name for path in files("resource_script.plugins").glob("*.py"))


def iterated():
    plugins = files("resource_script.plugins")
    return sorted(path.name for path in plugins.iterdir() if path.name.endswith(".py"))


def listed():
    plugins = files("resource_script.plugins")
    return [
        sorted(name for name in os.listdir(path) if name.endswith(".py")) for path in (plugins, str(plugins))
    ]


def is_file():
    return os.path.isfile(str(files("resource_script") / "worker.py"))


def directory_as_file():
    with as_file(files("resource_script.plugins")) as path:
        return sorted(name for name in os.listdir(path) if name.endswith(".py"))


def beside(path):
    return sorted(map(os.path.basename, glob.glob(os.path.join(os.path.dirname(path), "plugins", "*.py"))))


def by_stack():
    return beside(os.path.abspath(inspect.stack()[0].filename))


def by_frame():
    return beside(inspect.getframeinfo(inspect.currentframe()).filename)


def by_loader():
    return os.path.isfile(importlib.util.find_spec("resource_script.worker").loader.get_filename())


def main():
    for tell in (run_text, run_as_file, run_path, globbed, iterated, listed, is_file, directory_as_file):
        print(tell.__name__, tell())
    for tell in (by_stack, by_frame, by_loader):
        print(tell.__name__, tell())

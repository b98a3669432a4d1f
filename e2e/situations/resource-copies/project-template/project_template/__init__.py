import importlib.metadata
import os
import shutil
from importlib.resources import files
from pathlib import Path

TEMPLATE = files("project_template").joinpath("template")


def copy_tree(target):
    shutil.copytree(TEMPLATE, target, ignore=shutil.ignore_patterns("__pycache__"))


def copy_each(target):
    os.mkdir(target)
    for source in TEMPLATE.iterdir():
        if source.is_file():
            shutil.copy(source, target)


def copy_of_distribution(target):
    for file in importlib.metadata.files("project-template"):
        if "template" in file.parts and file.suffix != ".pyc":
            path = Path(target, *file.parts[2:])
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), path)


def walked():
    for directory, _, names in os.walk(TEMPLATE):
        if not directory.endswith("__pycache__"):
            yield Path(directory).name, sorted(names)


def main():
    for copy in copy_tree, copy_each, copy_of_distribution:
        copy(copy.__name__)
        found = sorted(path for path in Path(copy.__name__).rglob("*") if path.is_file())
        print(*(f"{path}: {path.read_text().strip()}" for path in found), sep="\n")
    print(*sorted(walked()))

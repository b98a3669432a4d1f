import os
import pkgutil
import warnings
from importlib import resources
from pathlib import Path


def main():
    warnings.simplefilter("ignore")
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "data", "words.txt")) as stream:
        print(stream.read().split())
    print((Path(__file__).parent / "data" / "settings.json").read_text())
    print(pkgutil.get_data("data_files", "data/words.txt"))
    print(resources.files("data_files").joinpath("data", "words.txt").read_text().split())
    print(resources.read_text("data_files.data", "words.txt").split())
    with resources.open_binary("data_files.data", "words.txt") as stream:
        print(len(stream.read()))
    with resources.path("data_files.data", "words.txt") as path:
        print(path.name, path.exists())
    with resources.as_file(resources.files("data_files") / "data") as path:
        print(sorted(each.name for each in path.iterdir() if each.suffix != ".pyc" and each.name[0] != "_"))
    print(resources.is_resource("data_files.data", "words.txt"), resources.is_resource("data_files", "data"))

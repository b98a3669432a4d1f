import modulefinder
import os


def main():
    finder = modulefinder.ModuleFinder()
    finder.run_script(os.path.join(os.path.dirname(__file__), "script.py"))
    for name in ("colorsys", "found_modules.part", "json", "json.decoder"):
        print(name, name in finder.modules and finder.modules[name].__file__)
    print(sorted(name for name in finder.badmodules if name.startswith("not_")))

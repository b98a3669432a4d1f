import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import imp


def main():
    warnings.simplefilter("ignore")
    print("library", imp.find_module("colorsys")[1])
    print("packages", imp.find_module("json")[1:], imp.find_module("imp_module")[1:])
    print("loaded", imp.load_module("wave", *imp.find_module("wave")).__name__)
    extra = imp.find_module("extra", importlib.import_module("imp_module").__path__)
    print("own", imp.load_module("extra", *extra).NUMBER)
    print("by path", imp.load_source("again", extra[1]).NUMBER)
    print("find_loader", importlib.find_loader("colorsys") is not None)

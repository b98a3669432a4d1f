import colorsys
import copy
import importlib
import importlib.machinery
import importlib.util
import json.decoder
import pickle

import pickled_loaders


def main():
    for module in (json.decoder, colorsys, pickled_loaders):
        loader = module.__spec__.loader
        kept = pickle.dumps(loader)
        again = pickle.loads(kept)
        print(len(kept) < 1000, again == loader, again.get_filename() == loader.get_filename())
        print(again.get_source(module.__name__) == loader.get_source(module.__name__))
        print(isinstance(loader, importlib.machinery.SourceFileLoader), hash(again) == hash(loader))
        spec = copy.copy(module.__spec__)
        print(
            spec == module.__spec__, spec.name, spec.has_location, importlib.util.find_spec(spec.name) == spec
        )

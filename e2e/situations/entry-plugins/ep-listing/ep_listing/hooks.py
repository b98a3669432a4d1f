import importlib
import pkgutil

import ep_listing.parts


def hook():
    found = [each.name for each in pkgutil.iter_modules(ep_listing.parts.__path__)]
    return [importlib.import_module(f"ep_listing.parts.{name}").NAME for name in found]

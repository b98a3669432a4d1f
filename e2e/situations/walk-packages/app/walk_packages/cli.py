import glob
import os
import pkgutil

import walk_packages
from walk_packages import deep


def main():
    print(
        [(each.name, each.ispkg) for each in pkgutil.walk_packages(walk_packages.__path__, "walk_packages.")]
    )
    print([each.name for each in pkgutil.iter_modules(deep.__path__)])
    print(sorted(name for name in os.listdir(walk_packages.__path__[0]) if name[0] != "_"))
    pattern = os.path.join(os.path.dirname(walk_packages.__file__), "**", "*.py")
    print(sorted(map(os.path.basename, glob.glob(pattern, recursive=True))))
    print(
        [
            name
            for root, _, names in os.walk(deep.__path__[0])
            for name in sorted(names)
            if name.endswith(".py")
        ]
    )
    print(pkgutil.resolve_name("walk_packages.deep.leaf:NAME"))
    print([each.name for each in pkgutil.iter_modules(["."])])

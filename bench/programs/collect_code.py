"""Writes the code of the modules that a program imports: what is left of imports without any finder.

Arguments: the program and the file to write, a marshalled dict of a module's name to its code, the path of
its source, and whether it is a package.
"""

import marshal
import sys

program, output = sys.argv[1:]
before = set(sys.modules)
exec(open(program).read())
found = {}
for name in set(sys.modules) - before:
    spec = getattr(sys.modules[name], "__spec__", None)
    if spec is not None and spec.origin and spec.origin.endswith(".py") and spec.name == name:
        code = marshal.dumps(spec.loader.get_code(name))
        found[name] = code, spec.origin, spec.submodule_search_locations is not None
with open(output, "wb") as file:
    file.write(marshal.dumps(found))

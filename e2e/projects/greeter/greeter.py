import json
import platform
import subprocess
import sys

import six


def main():
    """Tells as JSON where it runs, and whether a child of its Python finds the same packages."""
    child = subprocess.check_output([sys.executable, "-c", "import six; print(six.__file__)"])
    try:
        from markupsafe import _speedups

        compiled = _speedups.__file__.rpartition("/")[2]
    except ImportError:
        compiled = None
    found = {
        "arguments": sys.argv[1:],
        "child": child.decode("utf-8").strip().rstrip("c") == six.__file__.rstrip("c"),
        "compiled": compiled,
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "version": "%d.%d" % sys.version_info[:2],
    }
    print(json.dumps(found, sort_keys=True))
    return 7

import compileall
import os
import py_compile
import subprocess
import sys

from compiling import part


def main():
    here = os.path.dirname(__file__)
    print(os.path.basename(py_compile.compile(part.__file__, "part.pyc", doraise=True)))
    print(subprocess.run([sys.executable, "part.pyc"], capture_output=True, text=True).stdout)
    os.mkdir("cache")
    sys.pycache_prefix = os.path.abspath("cache")
    print(compileall.compile_dir(here, quiet=1, force=True))
    found = [name for _, _, names in os.walk("cache") for name in names]
    print(sorted(name.partition(".")[0] for name in found))

import os
import shutil

import Cython
import Cython.Compiler.Main
from Cython.Build import cythonize


def main():
    shutil.copy(os.path.join(os.path.dirname(__file__), "fast.pyx"), "fast.pyx")
    (extension,) = cythonize("fast.pyx", quiet=True, language_level=3)
    source = open("fast.c").read()
    print(
        extension.name,
        "fast.pyx" in source,
        os.path.isfile(os.path.join(os.path.dirname(Cython.__file__), "Includes", "libc", "math.pxd")),
    )

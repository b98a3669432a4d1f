import os
import subprocess
import sys
import zipfile

import cffi

SETUP = "from setuptools import setup; setup(name='built', version='1', packages=['built'], package_data={'': ['*.txt']})"


def main():
    ffi = cffi.FFI()
    ffi.cdef("size_t strlen(const char *);")
    print(ffi.dlopen(None).strlen(b"hello"))
    builder = cffi.FFI()
    builder.cdef("int add(int, int);")
    builder.set_source("_added", "static int add(int a, int b) { return a + b; }")
    builder.emit_c_code("_added.c")
    print("_cffi_f_add" in open("_added.c").read())
    os.mkdir("built")
    for name in ("built/__init__.py", "built/note.txt"):
        open(name, "w").close()
    with open("setup.py", "w") as stream:
        stream.write(SETUP)
    done = subprocess.run([sys.executable, "setup.py", "-q", "bdist_wheel"], capture_output=True, text=True)
    print(done.returncode)
    (wheel,) = os.listdir("dist")
    print(
        wheel, sorted(name for name in zipfile.ZipFile(f"dist/{wheel}").namelist() if "dist-info" not in name)
    )

import _ssl
import ctypes
import ctypes.util
import importlib.machinery
import importlib.util
import os
import ssl
import zoneinfo


def main():
    libc = ctypes.CDLL(None)
    libc.strlen.restype = ctypes.c_size_t
    print(libc.strlen(b"hello"), ctypes.CDLL("libc.so.6").abs(-3), ctypes.util.find_library("c"))
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    libc.qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
    print(list(numbers))
    for name in ("_sqlite3", "_ctypes"):
        spec = importlib.util.find_spec(name)
        print(spec.origin, os.path.isfile(spec.origin), type(spec.loader).__name__)
    print(importlib.machinery.EXTENSION_SUFFIXES[-1], _ssl.OPENSSL_VERSION == ssl.OPENSSL_VERSION)
    print(len(ssl.create_default_context().get_ca_certs()) > 50)
    print(zoneinfo.ZoneInfo("Europe/Oslo").key, len(zoneinfo.available_timezones()) > 400)

import codecs
import encodings.aliases
import locale
import os
import pkgutil
import sys


def main():
    print(sys.argv[1:], sys.getfilesystemencoding(), sys.stdout.encoding, locale.getpreferredencoding(False))
    open(sys.argv[1], "w", encoding="cp1252").close()
    print(os.listdir("."), locale.setlocale(locale.LC_ALL, ""))
    for name in ("idna", "punycode", "cp037", "utf-7", "rot13", "big5", "utf_8_sig", "mbcs"):
        try:
            print(name, codecs.lookup(name).name)
        except LookupError as error:
            print(error)
    print("grün".encode("idna"), codecs.encode("hello", "rot13"))
    print(len([each for each in pkgutil.iter_modules(encodings.__path__)]) > 90)
    print(len(set(encodings.aliases.aliases.values())) > 80, sys.stdin.read())

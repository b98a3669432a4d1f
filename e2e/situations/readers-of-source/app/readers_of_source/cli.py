import ast
import dis
import io
import linecache
import os
import pyclbr
import symtable
import tabnanny
import tokenize
from contextlib import redirect_stdout

from readers_of_source import read


def main():
    path = read.__file__
    with tokenize.open(path) as stream:
        source = stream.read()
    with open(path, "rb") as stream:
        print(
            len(list(tokenize.tokenize(stream.readline))),
            tokenize.detect_encoding(io.BytesIO(source.encode()).readline),
        )
    print([type(each).__name__ for each in ast.parse(source, path).body])
    print(sorted(each.get_name() for each in symtable.symtable(source, path, "exec").get_symbols()))
    print(sorted(pyclbr.readmodule_ex("readers_of_source.read")), sorted(pyclbr.readmodule("colorsys")))
    print(linecache.getline(path, 2), linecache.getline(os.__file__, 1))
    told = io.StringIO()
    with redirect_stdout(told):
        dis.dis(read.Reader.read)
    print(len(told.getvalue()) > 50)
    tabnanny.check(path)
    print(os.path.getsize(path) == len(source), compile(source, path, "exec").co_filename == path)

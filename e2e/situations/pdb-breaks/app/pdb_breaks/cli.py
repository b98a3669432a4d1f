import os
import pdb
import sys

from pdb_breaks import work


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path.insert(0, "")
    debugger = pdb.Pdb(nosigint=True, readrc=False, stdout=sys.stdout, stdin=sys.stdin)
    debugger.use_rawinput = False
    debugger.runcall(work.compute, 2)
    other = pdb.Pdb(nosigint=True, readrc=False, stdout=sys.stdout)
    import json.decoder as decoder

    line = decoder.JSONDecoder.decode.__code__.co_firstlineno + 1
    print(other.set_break(decoder.__file__, line + 20), other.get_all_breaks() != {})

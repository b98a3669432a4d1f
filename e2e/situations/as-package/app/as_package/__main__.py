import argparse
import os
import sys

from . import WORD

print(WORD, __name__, __package__, __spec__.name, os.path.basename(__file__))
parser = argparse.ArgumentParser(prog="as-package")
parser.add_argument("words", nargs="+")
print(parser.parse_args().words, sys.modules["__main__"].__file__ == __file__)

import sys

RESULT = ("sub", __name__, __spec__ and __spec__.name, sys.argv[0].rpartition("/")[2])

import json
import sys


def main():
    print("inner", json.dumps(sys.argv[1:]))

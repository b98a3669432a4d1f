import inspect
from importlib.resources import files
from typing import get_type_hints

import tl_typed


def main():
    print(get_type_hints(tl_typed.twice), inspect.signature(tl_typed.twice))
    print(sorted(each.name for each in files("tl_typed").iterdir() if each.name != "__pycache__"))
    print(inspect.getsource(tl_typed.twice))

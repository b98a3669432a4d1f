import ast
import inspect
import pydoc
import subprocess
import sys
from dataclasses import dataclass, field
from typing import get_type_hints

from documented import shapes


@dataclass
class Point:
    x: int
    y: "float" = field(default=1.0, metadata={"doc": "height"})


def main():
    print(pydoc.plain(pydoc.render_doc(shapes)))
    done = subprocess.run(
        [sys.executable, "-m", "pydoc", "documented.shapes.area"], capture_output=True, text=True
    )
    print(done.stdout, done.stderr)
    for name in ("colorsys", "json.scanner"):
        done = subprocess.run([sys.executable, "-m", "pydoc", name], capture_output=True, text=True)
        print(done.stdout[:250], name.rpartition(".")[2] + ".py" in done.stdout, done.stderr)
    print(pydoc.synopsis(shapes.__file__), pydoc.importfile(shapes.__file__).area(2))
    help(shapes.area)
    print(ast.get_docstring(ast.parse(inspect.getsource(shapes))), Point.__doc__, get_type_hints(Point))
    pydoc.writedoc("documented.shapes")
    with open("documented.shapes.html") as stream:
        print("area" in stream.read())

import json

import attrs
import typing_extensions
from mypy_check.typed import twice


@attrs.define
class Point:
    x: int


reveal_type(Point(1).x)
reveal_type(twice(2))
reveal_type(typing_extensions.Literal)
twice("a")
json.loads(3)

import dataclasses
import inspect
import linecache
import pickle
import traceback

import attrs
import pydantic
from pydantic import BaseModel, ConfigDict, field_validator


@attrs.define
class Point:
    x: int = attrs.field(validator=attrs.validators.instance_of(int))
    y: int = 2


@dataclasses.dataclass(order=True)
class Pair:
    a: int
    b: list = dataclasses.field(default_factory=list)


class Model(BaseModel):
    """A model."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """Its name."""

    @field_validator("name")
    @classmethod
    def check(cls, value):
        if not value:
            raise ValueError("empty")
        return value


def main():
    print(Point(1), attrs.asdict(Point(3)), pickle.loads(pickle.dumps(Point(1))) == Point(1))
    print(len(linecache.getlines(Point.__init__.__code__.co_filename)) > 2)
    try:
        Point("x")
    except TypeError:
        print(traceback.format_exc().splitlines()[-4:-1])
    print(Pair(1) < Pair(2), inspect.signature(Pair), inspect.getsource(Pair).splitlines()[0])
    print(Model.model_json_schema(), Model(name="n"))
    try:
        Model(name="")
    except pydantic.ValidationError as error:
        print(error)

import os

import yaml
from dotenv import dotenv_values
from dynaconf import Dynaconf
from environs import Env
from marshmallow import Schema, fields

HERE = os.path.dirname(__file__)


class Point(Schema):
    x = fields.Integer(required=True)


def main():
    print(Dynaconf(settings_files=["settings.toml"], root_path=HERE).colour)
    print(Dynaconf(settings_files=[os.path.join(HERE, "settings.toml")]).as_dict())
    env = Env()
    env.read_env()
    print(env.int("PORT"), dotenv_values(os.path.join(HERE, ".env")))
    with open(os.path.join(HERE, "settings.yaml")) as stream:
        print(yaml.safe_load(stream), yaml.__with_libyaml__)
    print(Point().load({"x": "3"}), Point().validate({}))
    print(Dynaconf(settings_files=["here.toml"]).colour)

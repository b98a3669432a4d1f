import os
import re

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    config = Config()
    config.set_main_option("script_location", os.path.join(HERE, "migrations"))
    config.set_main_option("sqlalchemy.url", "sqlite:///app.db")
    command.upgrade(config, "head")
    engine = create_engine("sqlite:///app.db")
    print(sorted(inspect(engine).get_table_names()))
    command.current(config)
    command.history(config)
    command.downgrade(config, "-1")
    print(sorted(inspect(engine).get_table_names()))
    command.upgrade(config, "head", sql=True)
    packaged = Config()
    packaged.set_main_option("script_location", "alembic_migrations:migrations")
    packaged.set_main_option("sqlalchemy.url", "sqlite:///packaged.db")
    command.upgrade(packaged, "head")
    command.init(Config("alembic.ini"), "own")
    print(sorted(os.listdir("own")))
    local = Config("alembic.ini")
    local.set_main_option("sqlalchemy.url", "sqlite:///local.db")
    made = command.revision(local, "first", rev_id="00aa")
    print(re.sub(r"^[0-9a-f]+", "", os.path.basename(made.path)))
    command.upgrade(local, "head")

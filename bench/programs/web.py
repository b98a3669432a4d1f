"""Uses a little of what many services consist of."""

import jinja2
import pydantic
import requests
import rich.text
import sqlalchemy


class Cow(pydantic.BaseModel):
    name: str


def main() -> None:
    request = requests.Request("GET", "http://localhost/").prepare()
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        number = connection.execute(sqlalchemy.text("select 1")).scalar()
    text = jinja2.Template("{{ method }} {{ number }} {{ name }}").render(
        method=request.method, number=number, name=Cow(name="moo").name
    )
    print(rich.text.Text(text))


if __name__ == "__main__":
    main()

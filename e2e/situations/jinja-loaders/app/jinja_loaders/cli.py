import os
import traceback

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, TemplateNotFound
from mako.lookup import TemplateLookup


def main():
    package = PackageLoader("jinja_loaders")
    environment = Environment(loader=ChoiceLoader([FileSystemLoader("templates"), package]))
    print(sorted(environment.list_templates()))
    print(
        environment.get_template("page.html").render(name="<a>"),
        environment.get_template("local.html").render(),
    )
    try:
        environment.get_template("missing.html")
    except TemplateNotFound as error:
        print(error)
    try:
        environment.get_template("broken.html").render()
    except ZeroDivisionError:
        print(traceback.format_exc().splitlines()[-3:])
    print(package.get_source(environment, "page.html")[1].endswith("page.html"))
    here = os.path.dirname(__file__)
    print(
        TemplateLookup([os.path.join(here, "templates")], "made").get_template("page.mako").render(name="b")
    )

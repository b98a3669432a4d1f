"""Packages of tools and texts: one function each, named as the distribution, returns what it did."""

from __future__ import annotations

import datetime
import io
import pkgutil
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from web_smokes import run


def setuptools() -> Any:
    script = "from setuptools import setup; setup(name='a', version='1', py_modules=['m'], packages=['p'])"
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "setup.py").write_text(script)
        Path(directory, "m.py").touch()
        Path(directory, "p").mkdir()
        Path(directory, "p/__init__.py").touch()
        built = run("setup.py", "-q", "bdist_wheel", directory=directory)
        names = sorted(path.name for path in Path(directory, "dist").iterdir())
    return [built, names, run("-c", "import distutils.core; print(distutils.__file__)")]


def packaging() -> Any:
    from packaging.requirements import Requirement
    from packaging.tags import sys_tags

    return [str(Requirement("a[b]>=1; python_version>'3'")), str(next(iter(sys_tags())))]


def python_dateutil() -> Any:
    import dateutil.parser
    import dateutil.rrule
    import dateutil.tz
    import dateutil.zoneinfo

    day = dateutil.parser.parse("29 Feb 2024 12:30 +0100")
    rule = dateutil.rrule.rrule(dateutil.rrule.MONTHLY, count=3, dtstart=day)
    zones = dateutil.zoneinfo.get_zonefile_instance().zones
    return [day, list(rule), len(zones), dateutil.tz.gettz("Europe/Oslo").utcoffset(day.replace(tzinfo=None))]


def six() -> Any:
    import six
    from six.moves import configparser, urllib

    return [six.ensure_text(b"a"), configparser.__name__, urllib.parse.quote("ü"), six.moves.__path__]


def typing_extensions() -> Any:
    import typing_extensions

    @typing_extensions.runtime_checkable
    class Named(typing_extensions.Protocol):
        name: str

    return [isinstance(Path("a"), Named), typing_extensions.get_overloads(print)]


def attrs() -> Any:
    import attr
    import attrs

    @attrs.define
    class Point:
        x: int = attrs.field(converter=int)
        y: int = 2

    return [attrs.asdict(Point("1")), repr(Point(3)), attr.__version__]


def pygments() -> Any:
    import pygments
    import pygments.formatters
    import pygments.lexers
    import pygments.styles

    text = pygments.highlight(
        "def f(): return 'ü'",
        pygments.lexers.get_lexer_by_name("python"),
        pygments.formatters.HtmlFormatter(),
    )
    known = [len(list(pygments.lexers.get_all_lexers())), sorted(pygments.styles.get_all_styles())]
    return [text, known, run("-m", "pygments", "-L", "formatters")]


def platformdirs() -> Any:
    import platformdirs

    return [platformdirs.user_cache_dir("a"), run("-m", "platformdirs")]


def filelock() -> Any:
    import filelock

    with tempfile.TemporaryDirectory() as directory, filelock.FileLock(f"{directory}/lock") as lock:
        return lock.is_locked


def tomlkit() -> Any:
    import tomlkit

    document = tomlkit.parse("[a] # why\nb = 1\n")
    document["a"]["b"] = 2  # type: ignore[index]
    return tomlkit.dumps(document)


def pluggy() -> Any:
    import pluggy

    marker, spec = pluggy.HookimplMarker("smoke"), pluggy.HookspecMarker("smoke")

    class Specification:
        @spec
        def add(self, a: int) -> None: ...

    class Plugin:
        @marker
        def add(self, a: int) -> int:
            return a + 1

    manager = pluggy.PluginManager("smoke")
    manager.add_hookspecs(Specification)
    manager.register(Plugin())
    return [manager.hook.add(a=1), manager.load_setuptools_entrypoints("pytest11")]


def pytest() -> Any:
    test = """\
        import pytest
        @pytest.mark.parametrize("a", [1, 2])
        def test_a(a, tmp_path):
            assert a + 1 == 2
        """
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "test_a.py").write_text(textwrap.dedent(test))
        done = run("-m", "pytest", "-p", "no:cacheprovider", "--basetemp=t", "test_a.py", directory=directory)
        told = [line for line in str(done[1]).splitlines() if " in 0." not in line and "rootdir" not in line]
    return [done[0], told, done[2], run("-m", "pytest", "--version")]


def rich() -> Any:
    import rich.console
    import rich.pretty
    import rich.traceback

    console = rich.console.Console(file=io.StringIO(), width=100, force_terminal=True)
    try:
        rich.console.Console().print("[/wrong]")
    except Exception:
        console.print(rich.traceback.Traceback(show_locals=False, suppress=["json"]))
    rich.inspect(rich.pretty.pprint, console=console, help=True)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return [
        text.count("\n"),
        "render_markup" in text,
        run("-m", "rich.emoji")[0],
    ]


def importlib_metadata() -> Any:
    import importlib_metadata

    names = sorted({found.name for found in importlib_metadata.distributions()})
    packages = importlib_metadata.packages_distributions()
    files = importlib_metadata.files("rich") or []
    return [names, sorted(packages), len(files), importlib_metadata.metadata("click")["Name"]]


def zipp() -> Any:
    import zipfile

    import zipp

    with tempfile.TemporaryDirectory() as directory:
        with zipfile.ZipFile(f"{directory}/a.zip", "w") as archive:
            archive.writestr("b/c.txt", "d")
        return [
            zipp.Path(f"{directory}/a.zip", "b/c.txt").read_text(),
            pkgutil.resolve_name("zipp:Path").__name__,
        ]


def pyparsing() -> Any:
    import pyparsing

    word = pyparsing.Word(pyparsing.alphas)
    expression = pyparsing.infix_notation(word, [("+", 2, pyparsing.opAssoc.LEFT)])
    return [expression.parse_string("a + b + c").as_list(), expression.create_diagram.__name__]


def fsspec() -> Any:
    import fsspec

    with fsspec.open("memory://a/b", "w") as stream:
        stream.write("c")
    return [fsspec.filesystem("memory").cat("/a/b"), sorted(fsspec.available_protocols())]


def tqdm() -> Any:
    import tqdm

    stream = io.StringIO()
    total = sum(tqdm.tqdm(range(3), file=stream, ncols=40, bar_format="{n_fmt}/{total_fmt}"))
    return [total, stream.getvalue(), run("-m", "tqdm", "--version")]


def docutils() -> Any:
    import docutils.core

    text = "Title\n=====\n\n.. include:: <isonum.txt>\n\n*hello* |copy|\n"
    quiet = {"warning_stream": io.StringIO(), "use_latex_citations": True, "legacy_column_widths": False}
    writers = ("html5", "latex", "html4", "s5", "manpage")
    made = [docutils.core.publish_string(text, writer=name, settings_overrides=quiet) for name in writers]
    return [*map(str, made), run("-m", "docutils", "--version")]


def babel() -> Any:
    import babel
    import babel.dates
    import babel.messages.frontend
    import babel.numbers

    day = datetime.date(2024, 2, 29)
    texts = [babel.dates.format_date(day, "full", locale=name) for name in ("de", "ja_JP", "ar")]
    return [
        *texts,
        babel.numbers.format_decimal(1234567.8, locale="de_CH"),
        len(babel.localedata.locale_identifiers()),
    ]


def jsonschema() -> Any:
    import jsonschema

    schema = {"$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object", "required": ["a"]}
    jsonschema.Draft201909Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft201909Validator(schema).iter_errors({})]


def tzdata() -> Any:
    import zoneinfo

    zoneinfo.reset_tzpath([])
    day = datetime.datetime(2024, 2, 29, tzinfo=zoneinfo.ZoneInfo("Europe/Oslo"))
    return [day, len(zoneinfo.available_timezones())]


def markdown() -> Any:
    import markdown

    return [
        markdown.markdown("# a\n\n|b|\n|-|\n|c|", extensions=["tables", "toc"]),
        run("-m", "markdown", "--version"),
    ]


def tabulate() -> Any:
    import tabulate

    return tabulate.tabulate([["a", 1], ["b", 2]], headers=["c", "d"], tablefmt="github")


def mako() -> Any:
    import mako.exceptions
    import mako.lookup
    import mako.template

    try:
        mako.template.Template("a\n${1 / 0}").render()
    except ZeroDivisionError:
        told = mako.exceptions.text_error_template().render().splitlines()
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "a.mako").write_text("hello ${name}")
        lookup = mako.lookup.TemplateLookup([directory], module_directory=f"{directory}/m")
        text = lookup.get_template("a.mako").render(name="ada")
    return [text, [line for line in told if "0x" not in line and "memory" not in line]]


def ruamel_yaml() -> Any:
    import ruamel.yaml

    stream = io.StringIO()
    yaml = ruamel.yaml.YAML()
    yaml.dump(yaml.load("a: 1 # why\nb: [2, 3]\n"), stream)
    return [stream.getvalue(), sys.modules["ruamel"].__path__]

"""Packages with extension modules: one function each, named as the distribution, returns what it did."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import Any

from web_smokes import run, serving


def numpy() -> Any:
    import numpy

    values = numpy.linspace(0, 1, 5)
    included = Path(numpy.get_include(), "numpy/arrayobject.h").exists()
    return [float(numpy.linalg.norm(values)), numpy.fft.fft(values).real.tolist(), included]


def pandas() -> Any:
    import pandas

    frame = pandas.read_csv(
        io.StringIO("city,day,rain\nOslo,2024-02-29,1\nBergen,2024-03-01,2\n"), parse_dates=["day"]
    )
    grouped = frame.groupby("city")["rain"].sum().to_dict()
    return [
        grouped,
        frame.set_index("day").resample("D").sum()["rain"].tolist(),
        frame.to_json(),
        repr(frame.describe()),
    ]


def pydantic() -> Any:
    import pydantic
    import pydantic.v1
    import pydantic.version

    class Model(pydantic.BaseModel):
        a: int
        b: list[str] = []

    try:
        Model(a="x")  # type: ignore[arg-type]
    except pydantic.ValidationError as error:
        told = error.errors()[0]["type"]
    return [Model(a="1").model_dump(), Model.model_json_schema(), told, pydantic.version.version_info()]  # type: ignore[arg-type]


def cryptography() -> Any:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"a", ec.ECDSA(hashes.SHA256()))
    key.public_key().verify(signature, b"a", ec.ECDSA(hashes.SHA256()))
    box = Fernet(Fernet.generate_key())
    return box.decrypt(box.encrypt(b"secret"))


def cffi() -> Any:
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("size_t strlen(const char *);")
    built = cffi.FFI()
    built.cdef("int add(int, int);")
    built.set_source("_added", "static int add(int a, int b) { return a + b; }")
    with tempfile.TemporaryDirectory() as directory:
        built.emit_c_code(f"{directory}/_added.c")
        written = Path(directory, "_added.c").read_text()
    return [ffi.dlopen(None).strlen(b"hello"), written]


def lxml() -> Any:
    import lxml
    import lxml.etree
    import lxml.html
    import lxml.isoschematron

    root = lxml.etree.fromstring("<a><b c='1'>d</b></a>")
    style = lxml.etree.XML(
        '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform">'
        '<x:template match="/"><e><x:value-of select="a/b"/></e></x:template></x:stylesheet>'
    )
    rules = (
        '<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern>'
        '<rule context="b"><assert test="@c">no</assert></rule></pattern></schema>'
    )
    valid = lxml.isoschematron.Schematron(lxml.etree.XML(rules)).validate(root)
    return [
        root.xpath("//b/@c"),
        str(lxml.etree.XSLT(style)(root)),
        valid,
        lxml.get_include(),
        lxml.html.fromstring("<p>a").text,
    ]


def pyyaml() -> Any:
    import yaml

    loaded = yaml.load("a: [1, 2]\nb: {c: d}", Loader=yaml.CSafeLoader)
    return [loaded, yaml.safe_dump(loaded), yaml.__with_libyaml__]


def markupsafe() -> Any:
    import markupsafe

    return [markupsafe.escape("<a>"), markupsafe._escape_inner.__module__]  # type: ignore[attr-defined]


def sqlalchemy() -> Any:
    import sqlalchemy
    import sqlalchemy.orm

    base: Any = sqlalchemy.orm.declarative_base()
    key = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    columns = {"__tablename__": "word", "id": key, "text": sqlalchemy.Column(sqlalchemy.String)}
    word = type("Word", (base,), columns)
    engine = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with sqlalchemy.orm.Session(engine) as session:
        session.add_all([word(text="a"), word(text="b")])
        session.commit()
        return session.scalars(sqlalchemy.select(word.text).order_by(word.text.desc())).all()


def greenlet() -> Any:
    import greenlet

    main = greenlet.getcurrent()
    other = greenlet.greenlet(lambda value: main.switch(value + 1))
    return other.switch(1)


def psutil() -> Any:
    import psutil

    process = psutil.Process()
    return [process.pid == os.getpid(), process.memory_info().rss > 0, psutil.cpu_count() == os.cpu_count()]


def aiohttp() -> Any:
    import asyncio

    import aiohttp
    import aiohttp.web

    async def ask(address: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(f"{address}/aiohttp") as answer:
            return [answer.status, await answer.text()]

    with serving() as address:
        answered = asyncio.run(ask(address))
    return [answered, aiohttp.http_parser.HttpRequestParser.__module__, run("-m", "aiohttp.web", "--help")]


def regex() -> Any:
    import regex

    return [regex.findall(r"(?r)\p{Lu}\w+", "Ada und Ölaf"), bool(regex.fullmatch(r"(?:cat){e<=1}", "cut"))]


def msgpack() -> Any:
    import msgpack

    return [msgpack.unpackb(msgpack.packb({"a": [1, b"b"]})), msgpack.Packer.__module__]


def pillow() -> Any:
    import PIL.features
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    image = PIL.Image.new("RGB", (64, 16), "white")
    PIL.ImageDraw.Draw(image).text((0, 0), "hello", "black", font=PIL.ImageFont.load_default())
    stream = io.BytesIO()
    image.save(stream, "PNG")
    again = PIL.Image.open(io.BytesIO(stream.getvalue())).resize((32, 8))
    return [
        again.size,
        sum(again.convert("L").histogram()[:200]) > 0,
        sorted(PIL.Image.registered_extensions()),
        run("-m", "PIL"),
    ]

"""Packages of clients and servers: one function each, named as the distribution, returns what it did."""

from __future__ import annotations

import contextlib
import http.server
import io
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"you asked for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """A server on loopback that tells what it was asked for; its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(*arguments: str, directory: str | None = None) -> list[str | int]:
    """What `python` with these arguments says and how it ends."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=directory, capture_output=True, text=True, timeout=60
    )
    return [done.returncode, done.stdout, done.stderr]


def requests() -> Any:
    import requests
    import requests.certs

    with serving() as address:
        answer = requests.get(f"{address}/requests", params={"q": "ü"}, timeout=10)
    return [answer.status_code, answer.text, requests.certs.where(), run("-m", "requests.certs")]


def urllib3() -> Any:
    import urllib3

    with serving() as address, urllib3.PoolManager() as pool:
        answer = pool.request("GET", f"{address}/urllib3")
    return [answer.status, answer.data.decode()]


def idna() -> Any:
    import idna

    return [
        idna.encode("königsgäßchen").decode(),
        idna.decode("xn--knigsgchen-b4a3dun"),
        run("-m", "idna", "ü.de"),
    ]


def certifi() -> Any:
    import ssl

    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    return [len(context.get_ca_certs()), certifi.where(), len(certifi.contents()), run("-m", "certifi")]


def charset_normalizer() -> Any:
    import charset_normalizer

    best = charset_normalizer.from_bytes(
        "Hétvégén süt a nap, és őszi szél fúj a városban.".encode("cp1250")
    ).best()
    return [best.encoding if best else None, run("-m", "charset_normalizer", "--version")]


def click() -> Any:
    import click
    import click.testing

    @click.command()
    @click.option("--count", default=1, help="How often.")
    @click.version_option(package_name="click")
    def hello(count: int) -> None:
        """Greets."""
        click.secho("hello " * count, fg="green")

    runner = click.testing.CliRunner()
    tries = ["--help"], ["--count", "2"], ["--version"], ["--wrong"]
    return [
        [(done.exit_code, done.output) for done in [runner.invoke(hello, arguments)]] for arguments in tries
    ]


def jinja2() -> Any:
    import traceback

    import jinja2

    shipped = jinja2.PackageLoader("docutils.writers", "html5_polyglot")
    texts = {
        "hello": "hello {{ name|upper }}{% include 'more' %}",
        "more": "!",
        "wrong": "{{ 1 }}\n{{ 1 / 0 }}",
    }
    environment = jinja2.Environment(loader=jinja2.ChoiceLoader([shipped, jinja2.DictLoader(texts)]))
    try:
        environment.get_template("wrong").render()
    except ZeroDivisionError:
        told = [
            line for line in traceback.format_exc().splitlines() if "jinja2" in line or "template" in line
        ]
    listed = shipped.list_templates()
    return [environment.get_template("hello").render(name="ada"), told, "template.txt" in listed]


def werkzeug() -> Any:
    import werkzeug.debug
    import werkzeug.test
    import werkzeug.wrappers

    @werkzeug.wrappers.Request.application
    def application(request: Any) -> Any:
        if request.path == "/wrong":
            raise ValueError("wrong")
        return werkzeug.wrappers.Response(request.args["q"])

    client = werkzeug.test.Client(werkzeug.debug.DebuggedApplication(application, evalex=False))
    with contextlib.redirect_stderr(io.StringIO()):
        wrong = client.get("/wrong").text
    style = client.get("/?__debugger__=yes&cmd=resource&f=style.css").data
    return [client.get("/?q=hello").text, "raise ValueError" in wrong, len(style)]


def flask() -> Any:
    import flask

    application = flask.Flask("flask.app")
    application.add_url_rule("/", "hello", lambda: flask.render_template_string("hello {{ 1 + 1 }}"))
    client = application.test_client()
    paths = [application.root_path, application.instance_path, application.static_folder]
    return [client.get("/").text, paths, run("-m", "flask", "--version"), run("-m", "flask", "--help")]


def itsdangerous() -> Any:
    import itsdangerous

    return itsdangerous.URLSafeSerializer("secret").dumps({"a": [1, 2]})


def django() -> Any:
    with tempfile.TemporaryDirectory() as directory:
        runs = [run("-m", "django", "startproject", "site1", directory)]
        for arguments in ("startapp", "app1"), ("check",), ("migrate", "-v0"), ("help",):
            runs.append(run("manage.py", *arguments, directory=directory))
        runs.append(run("manage.py", "makemessages", "-l", "de", directory=directory)[:1])
        script = (
            "from django.test import Client; print(Client().get('/admin/login/').content.count(b'input'))"
        )
        runs.append(run("manage.py", "shell", "-v0", "-c", script, directory=directory))
        made = sorted(
            os.path.relpath(f"{path}/{name}", directory)
            for path, _, names in os.walk(directory)
            for name in names
        )
    return [runs, [name for name in made if not name.endswith((".pyc", ".sqlite3"))]]


def sqlparse() -> Any:
    import sqlparse

    return sqlparse.format("select a,b from c where d=1", reindent=True, keyword_case="upper")


def httpx() -> Any:
    import asyncio

    import httpx

    async def ask(address: str) -> str:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{address}/async")).text

    with serving() as address:
        answer = httpx.get(f"{address}/httpx")
        return [answer.status_code, answer.text, asyncio.run(ask(address))]


def anyio() -> Any:
    import anyio
    import anyio.to_process
    import anyio.to_thread

    async def work() -> list[Any]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        return [await anyio.to_thread.run_sync(sum, [1, 2]), await anyio.to_process.run_sync(sum, [3, 4])]

    return anyio.run(work)


def h11() -> Any:
    import h11

    connection = h11.Connection(our_role=h11.CLIENT)
    return repr(connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")])))


def boto3() -> Any:
    import boto3

    session = boto3.Session("key", "secret", region_name="eu-north-1")
    return [
        len(session.get_available_services()),
        session.get_available_resources(),
        repr(session.resource("s3").Bucket("b")),
    ]


def botocore() -> Any:
    import botocore.session

    client = botocore.session.get_session().create_client(
        "s3", region_name="eu-north-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    waiters, pages = client.waiter_names, client.can_paginate("list_objects_v2")
    return [len(dir(client)), waiters, pages, client.meta.endpoint_url]


def s3transfer() -> Any:
    import boto3
    import botocore.stub

    client = boto3.client("s3", "eu-north-1", aws_access_key_id="key", aws_secret_access_key="secret")
    with botocore.stub.Stubber(client) as stub:
        stub.add_response("put_object", {})
        client.upload_fileobj(io.BytesIO(b"hello"), "bucket", "key")
        stub.assert_no_pending_responses()
    import s3transfer.manager

    return sorted(vars(s3transfer.manager.TransferConfig()).items())


def jmespath() -> Any:
    import jmespath

    return jmespath.search("a[?b > `1`].c", {"a": [{"b": 1, "c": 2}, {"b": 2, "c": 3}]})


def pyjwt() -> Any:
    import jwt

    token = jwt.encode({"a": 1}, "secret" * 8, algorithm="HS256")
    return [token, jwt.decode(token, "secret" * 8, algorithms=["HS256"]), run("-m", "jwt.help")[0]]


def opentelemetry_api() -> Any:
    import opentelemetry.context
    import opentelemetry.trace

    tracer = opentelemetry.trace.get_tracer("smoke")
    with tracer.start_as_current_span("span") as span:
        return [span.is_recording(), len(opentelemetry.context.get_current()), list(opentelemetry.__path__)]


def googleapis_common_protos() -> Any:
    import google.api.http_pb2
    import google.protobuf
    import google.rpc.status_pb2
    from google.protobuf import json_format

    status = google.rpc.status_pb2.Status(code=5, message="gone")
    status.details.add().Pack(google.api.http_pb2.HttpRule(get="/v1"))
    return [json_format.MessageToDict(status), list(google.__path__), google.protobuf.__version__]

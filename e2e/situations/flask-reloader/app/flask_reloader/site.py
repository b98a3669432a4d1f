import os

import flask

from flask_reloader.value import VALUE

app = flask.Flask(__name__)


@app.get("/")
def index():
    return f"{VALUE} {os.getpid()}"

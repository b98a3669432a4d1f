import flask

app = flask.Flask(__name__)


@app.get("/here")
def here():
    return "here"

import flask


def make():
    app = flask.Flask(__name__)

    @app.get("/page")
    def page():
        return flask.render_template("page.html")

    @app.cli.command("own")
    def own():
        print(app.test_client().get("/page").text, app.test_client().get("/static/site.css").text)
        print(app.root_path, app.instance_path, sorted(app.jinja_env.list_templates()))

    return app


app = make()

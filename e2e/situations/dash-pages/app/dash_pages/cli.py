import dash

import dash_pages


def main():
    app = dash.Dash("dash_pages", use_pages=True, assets_folder="assets")
    app.layout = dash.html.Div([dash.page_container])
    print(sorted((page["module"], page["path"]) for page in dash.page_registry.values()))
    client = app.server.test_client()
    print(
        client.get("/").status_code,
        client.get("/assets/site.css").status_code,
        client.get("/_dash-layout").status_code,
    )
    print(dash_pages.__name__)
    print("dash_renderer" in client.get("/").text, client.get("/_dash-dependencies").json != [])

import dash

dash.register_page(__name__, path="/home")
layout = dash.html.P("home")

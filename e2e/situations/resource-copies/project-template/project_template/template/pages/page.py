TITLE = "page"

"""A script."""

import json
import sqlite3
import not_there

print(json.loads(""), sqlite3.connect(""), not_there)
json.nothing()

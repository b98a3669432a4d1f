import dbm.dumb
import os
import pickle
import shelve
import sqlite3


class Note:
    def __init__(self, text):
        self.text = text


def main():
    connection = sqlite3.connect("notes.db")
    with connection:
        connection.execute("create table note (text)")
        connection.executemany("insert into note values (?)", [("a",), ("b",)])
        connection.create_function("twice", 1, lambda text: text * 2)
        print(connection.execute("select twice(text) from note").fetchall())
    copy = sqlite3.connect("copy.db")
    connection.backup(copy)
    print("".join(copy.iterdump()))
    with shelve.Shelf(dbm.dumb.open("shelf")) as shelf:
        shelf["note"] = Note("kept")
    with shelve.Shelf(dbm.dumb.open("shelf")) as shelf:
        print(shelf["note"].text, type(shelf["note"]).__module__)
    print(pickle.loads(pickle.dumps(Note("pickled"))).text, sorted(os.listdir(".")))

import peewee

database = peewee.SqliteDatabase("notes.db")


class Note(peewee.Model):
    text = peewee.CharField()

    class Meta:
        database = database


def main():
    with database:
        database.create_tables([Note])
        Note.create(text="a")
        Note.insert_many([{"text": "b"}, {"text": "c"}]).execute()
        print([note.text for note in Note.select().order_by(Note.text.desc())], Note.get(text="b").id)

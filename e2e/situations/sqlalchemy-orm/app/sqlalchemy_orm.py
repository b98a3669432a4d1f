import pickle

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Dialect(SQLiteDialect_pysqlite):
    name = "own"
    supports_statement_cache = True


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


def main():
    for url in ("sqlite:///books.db", "own://"):
        engine = create_engine(url)
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(Author(name="a", books=[Book(title="one"), Book(title="two")]))
            session.commit()
            found = session.scalars(
                select(Book).join(Author).where(Author.name == "a").order_by(Book.title)
            ).all()
            print(
                engine.dialect.name,
                [book.title for book in found],
                pickle.loads(pickle.dumps(found[0])).title,
            )
    try:
        create_engine("postgresql+asyncpg://nowhere")
    except ImportError as error:
        print(error)

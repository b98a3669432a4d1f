import logging
import logging.config
import os

HERE = os.path.dirname(os.path.abspath(__file__))


class Handler(logging.StreamHandler):
    def emit(self, record):
        print("own", record.filename if hasattr(record, "filename") else record.module, record.getMessage())


def main():
    logging.config.fileConfig(os.path.join(HERE, "logging.ini"), {"log": "from-file.log"})
    logging.getLogger("logging_files.deep").warning("one %s", 1)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"f": {"format": "%(pathname)s:%(lineno)d %(funcName)s %(message)s"}},
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": "by-dict.log", "formatter": "f"},
                "own": {"class": "logging_files.cli.Handler"},
            },
            "root": {"handlers": ["file", "own"], "level": "INFO"},
        }
    )
    logging.info("two", stack_info=True)
    for name in ("from-file.log", "by-dict.log"):
        with open(name) as stream:
            print(stream.read())

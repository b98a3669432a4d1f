import io
import json
import sys

import structlog
from loguru import logger
from rich.console import Console
from rich.inspect import inspect
from rich.syntax import Syntax
from rich.traceback import Traceback


def fall(value):
    return json.loads(value)


def main():
    told = io.StringIO()
    console = Console(file=told, width=100, force_terminal=False)
    try:
        fall("{")
    except ValueError:
        console.print(Traceback(show_locals=True, word_wrap=True))
    lines = told.getvalue().splitlines()
    print(len(lines) > 30, any("return json.loads(value)" in line for line in lines))
    print(any("obj, end = self.raw_decode(s" in line for line in lines), lines[-1].strip())
    print(Syntax.from_path(__file__).code == open(__file__).read())
    inspect(fall, console=console)
    print("fall(value)" in told.getvalue())
    logger.remove()
    logger.add(sys.stdout, format="{level} {name}:{function}:{line} {message}", backtrace=True, diagnose=True)
    logger.info("told")
    try:
        fall("[")
    except ValueError:
        logger.exception("caught")
    shown = structlog.processors.CallsiteParameterAdder()
    structlog.configure(
        [shown, structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(sort_keys=True)]
    )
    try:
        fall("")
    except ValueError:
        told = io.StringIO()
        structlog.wrap_logger(structlog.PrintLogger(told)).exception("structured")
        print("rich_tracebacks.py" in told.getvalue(), "raw_decode" in told.getvalue())

import asyncio
import json
import logging
import subprocess
import sys
import threading
import traceback


class Falling:
    def __del__(self):
        json.loads("[")

    def __repr__(self):
        return "it"


def fall():
    json.loads("{")


async def fail():
    await asyncio.sleep(0)
    fall()


def group():
    errors = []
    for text in ("{", "["):
        try:
            json.loads(text)
        except ValueError as error:
            errors.append(error)
    raise ExceptionGroup("both", errors)


def main():
    thread = threading.Thread(target=fall, name="T")
    thread.start()
    thread.join()
    falling = Falling()
    del falling
    for function in (fall, group):
        try:
            function()
        except Exception:
            traceback.print_exc(file=sys.stdout)
    try:
        fall()
    except ValueError:
        logging.exception("logged")
    try:
        asyncio.run(fail())
    except ValueError as error:
        print(traceback.format_exception(error)[-4:])
    done = subprocess.run(
        [sys.executable, "-c", "import tracebacks; tracebacks.fall()"], stderr=subprocess.PIPE
    )
    print(done.stderr.decode())
    for frame in traceback.extract_stack()[-1:]:
        print(frame.line, frame.name)

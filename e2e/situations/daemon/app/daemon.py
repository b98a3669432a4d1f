import os
import time


def live(result):
    os.chdir("/")
    os.umask(0o022)
    os.closerange(0, 1024)
    os.open(os.devnull, os.O_RDWR)
    os.dup2(0, 1)
    os.dup2(0, 2)
    import colorsys
    import email.mime.text
    import inspect
    import sqlite3

    import daemon_part

    text = [colorsys.__name__, email.mime.text.__name__, sqlite3.__name__, daemon_part.NAME]
    text.append(inspect.getsource(daemon_part.work))
    try:
        raise ValueError("in the daemon")
    except ValueError:
        import traceback

        text.append(traceback.format_exc())
    with open(result + ".new", "w") as stream:
        stream.write("\n".join(text))
    os.rename(result + ".new", result)


def main():
    result = os.path.abspath("result")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            try:
                live(result)
            finally:
                os._exit(0)
        os._exit(0)
    os.wait()
    for _ in range(1000):
        if os.path.exists(result):
            break
        time.sleep(0.01)
    with open(result) as stream:
        print(stream.read())

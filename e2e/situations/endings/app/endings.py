import atexit
import os
import signal
import sys
import threading
import time


def main():
    word = sys.argv[1]
    print(word, flush=True)
    if word == "status":
        return 7
    if word == "text":
        sys.exit("a text")
    if word == "signal":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    if word == "hard":
        os._exit(9)
    if word == "interrupt":
        raise KeyboardInterrupt
    if word == "atexit":
        atexit.register(print, "at exit")
        sys.exit(True)
    if word == "thread":
        threading.Thread(target=lambda: (time.sleep(0.1), print("from the thread"))).start()
    if word == "broken":
        raise RuntimeError("broken") from ValueError("before")
    return None

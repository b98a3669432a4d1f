import os
import time

import daemon
from daemon import pidfile


def work():
    import colorsys
    import wave

    import real_daemon_part

    return [
        colorsys.__name__,
        wave.__name__,
        real_daemon_part.NAME,
        os.getcwd(),
        os.path.exists("/proc/self/fd/3"),
    ]


def main():
    here = os.getcwd()
    if os.fork() == 0:
        context = daemon.DaemonContext(pidfile=pidfile.TimeoutPIDLockFile(f"{here}/daemon.pid"), umask=0o022)
        with context:
            told = work()
            with open(f"{here}/new", "w") as stream:
                print(told, os.path.exists(f"{here}/daemon.pid"), file=stream)
            os.rename(f"{here}/new", f"{here}/told")
        os._exit(0)
    os.wait()
    for _ in range(1000):
        if os.path.exists("told"):
            break
        time.sleep(0.01)
    print(open("told").read())

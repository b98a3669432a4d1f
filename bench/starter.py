"""Starts one program, waits for it and writes down what it took.

    starter.py SECONDS REPORT OUTPUT ERRORS PROGRAM …

Runs on the builder's Python as a process of its own, with `-I -S`. A process that is forked or spawned begins
with its parent's peak memory, so whoever starts the programs that are measured has to be small. A program
that has not ended after SECONDS is killed with all that it has started.
"""

import os
import signal
import sys
import time

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def main() -> None:
    seconds, report, output, errors, *command = sys.argv[1:]
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, _WRITE, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, errors, _WRITE, 0o600),
    ]
    started = time.perf_counter_ns()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=streams, setpgroup=0)
    signal.signal(signal.SIGALRM, lambda number, frame: os.killpg(process, signal.SIGKILL))
    signal.alarm(int(seconds))
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter_ns() - started
    processor = int((usage.ru_utime + usage.ru_stime) * 1e9)
    with open(report, "w") as file:  # noqa: PTH123 (pathlib would make this process larger)
        file.write(f"{os.waitstatus_to_exitcode(status)} {wall} {processor} {usage.ru_maxrss}\n")


if __name__ == "__main__":
    main()

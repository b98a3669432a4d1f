"""What a program sees of the world it was started in, as JSON; and a few things it can do to itself.

Bytes that are not text are written as `latin-1` sees them, so that the reader can compare every byte.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
import warnings
from pathlib import Path

FLAGS = [name for name in dir(sys.flags) if isinstance(getattr(sys.flags, name), int)]


def text(value: str) -> str:
    return os.fsencode(value).decode("latin-1")


def view() -> dict[str, object]:
    return {
        "argv": [text(argument) for argument in sys.argv],
        "orig_argv": [text(argument) for argument in sys.orig_argv],
        "environment": {text(name): text(value) for name, value in os.environ.items()},
        "executable": text(sys.executable),
        "prefix": text(sys.prefix),
        "base_prefix": text(sys.base_prefix),
        "path": [text(entry) for entry in sys.path],
        "name": __name__,
        "flags": {name: getattr(sys.flags, name) for name in FLAGS},
        "faulthandler": faulthandler.is_enabled(),
        "write_through": getattr(sys.stdout, "write_through", None),
        "warnoptions": sys.warnoptions,
        "xoptions": {key: str(value) for key, value in sys._xoptions.items()},
        "encoding": sys.stdout.encoding,
        "process": os.getpid(),
        "directory": text(str(Path.cwd())),
        "terminals": [os.isatty(descriptor) for descriptor in range(3)],
        "descriptors": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir()),
        "ignored_signals": sorted(
            number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN
        ),
        "blocked_signals": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "umask": os.umask(0o022),
    }


def executable() -> None:
    print(sys.executable)


def wait() -> None:
    print("waiting", os.getpid(), flush=True)
    time.sleep(60)


def main() -> str | int | None:
    """The last argument can ask for something else than the view."""
    request = sys.argv[-1]
    if request == "executable":
        executable()
    elif request == "wait":
        wait()
    elif request == "echo":
        sys.stdout.buffer.write(sys.stdin.buffer.read())
    elif request == "warn":
        warnings.warn("the world is flat", UserWarning, stacklevel=1)
    elif request.startswith("exit="):
        return int(request.removeprefix("exit="))
    elif request.startswith("message="):
        return request.removeprefix("message=")
    elif request == "raise":
        raise ValueError("the world is flat")
    else:
        json.dump(view(), sys.stdout)
    return None


if __name__ == "__main__":
    sys.exit(main())

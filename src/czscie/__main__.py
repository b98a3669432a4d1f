"""`python -m czscie`, and the `czscie` on the path."""

#: How many new objects there are before garbage is looked for: imports make many, and hardly any of it.
_OBJECTS = 400_000


def main() -> None:
    """Runs the command line.

    Importing it takes some tenths of a second, in which Ctrl-C ends the process at once. Nothing is imported
    before that is set up: `signal` would define enumerations first. On a terminal a row says what begins.
    """
    import _signal  # type: ignore[import-not-found]
    import gc
    import os
    import sys

    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, lambda *_: os._exit(130))
    gc.set_threshold(_OBJECTS)
    if sys.argv[1:2] in (["build"], ["run"]):
        from czscie import last_build

        if last_build.answer(sys.argv[1:]):
            return
        last_build.observe(sys.argv[1:])
    from czscie.live import early

    end = early(sys.argv[1:])
    try:
        from czscie.cli import main
    finally:
        end()
    main()


if __name__ == "__main__":
    main()

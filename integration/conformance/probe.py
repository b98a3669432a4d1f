# The application of the conformance tests, 2.7 and newer: its first argument says what it does.

import json
import os
import subprocess
import sys

FLAGS = ["optimize", "isolated", "no_user_site", "ignore_environment", "dont_write_bytecode", "verbose"]


def main():
    command, arguments = (sys.argv[1:] or ["nothing"])[0], sys.argv[2:]
    return globals()["do_" + command.replace("-", "_")](*arguments)


def show(value):
    print(json.dumps(value, sort_keys=True))


def do_nothing():
    print("nothing to do")


def do_argv(*arguments):
    show([os.path.basename(sys.argv[0])] + sys.argv[1:])


def do_argv0():
    show(sys.argv[0])


def do_bytes(*arguments):
    out = getattr(sys.stdout, "buffer", sys.stdout)
    encode = getattr(os, "fsencode", lambda text: text)
    out.write(b"|".join(encode(each) for each in arguments) + b"\n")


def do_env(*names):
    show({name: os.environ.get(name) for name in names})


def do_env_bytes(name):
    out = getattr(sys.stdout, "buffer", sys.stdout)
    encode = getattr(os, "fsencode", lambda text: text)
    out.write(encode(os.environ[name]) + b"\n")


def do_pex_variables():
    show(sorted(name for name in os.environ if name.startswith("PEX_")))


def do_exit(code):
    sys.exit(int(code))


def do_exit_text(text):
    sys.exit(text)


def do_exit_none():
    sys.exit(None)


def do_return(code):
    return int(code)


def do_raise(text):
    raise ValueError(text)


def do_signal(number):
    os.kill(os.getpid(), int(number))


def do_atexit():
    import atexit

    atexit.register(print, "at exit")


def do_excepthook():
    sys.excepthook = lambda kind, error, traceback: print("hook", error)
    raise ValueError("caught by the hook")


def do_flags():
    show({name: int(getattr(sys.flags, name, 0)) for name in FLAGS})


def do_warnoptions():
    show(list(sys.warnoptions))


def do_xoptions():
    show(sorted(getattr(sys, "_xoptions", {})))


def do_modules(*names):
    found = {}
    for name in names:
        try:
            __import__(name)
            found[name] = True
        except ImportError:
            found[name] = False
    show(found)


def do_value(name, attribute):
    __import__(name)
    show(getattr(sys.modules[name], attribute))


def do_version(name):
    try:
        from importlib.metadata import version
    except ImportError:
        from pkg_resources import get_distribution

        def version(name):
            return get_distribution(name).version

    show(version(name))


def do_files(name):
    from importlib.metadata import files

    # The interpreter's name is in the paths of some; __pycache__ comes and goes.
    show(sorted(str(path) for path in files(name) if "__pycache__" not in str(path)))


def do_exist(name):
    from importlib.metadata import files

    show(all(path.locate().exists() for path in files(name) if "__pycache__" not in str(path)))


def do_entry_points(group):
    from importlib.metadata import entry_points

    show(sorted((point.name, point.value) for point in entry_points(group=group)))


def do_resource(package, name):
    import pkgutil

    print(pkgutil.get_data(package, name).decode("utf-8"))


def do_prefix_file(path):
    with open(os.path.join(sys.prefix, path)) as file:
        print(file.read())


def do_prefix_program(path):
    print(subprocess.check_output([os.path.join(sys.prefix, path)]).decode("utf-8").strip())


def do_mode(module, path):
    __import__(module)
    show(oct(os.stat(os.path.join(os.path.dirname(sys.modules[module].__file__), path)).st_mode & 0o777))


def do_path_entry(path):
    show(path in sys.path)


def do_path_order(one, other):
    show(
        sys.path.index(one) < [each.endswith("site-packages") for each in sys.path].index(True)
        if other == "packages"
        else sys.path.index(one) < sys.path.index(other)
    )


def do_in_venv():
    environment = os.path.realpath(os.environ.get("VIRTUAL_ENV", ""))
    show([sys.prefix != getattr(sys, "base_prefix", None), environment == os.path.realpath(sys.prefix)])


def do_child(*arguments):
    code = "import json,sys,probe; print(json.dumps([sys.argv[1:], probe.__name__]))"
    sys.exit(subprocess.call([sys.executable, "-c", code] + list(arguments)))


def do_child_path(path):
    code = "import json,sys; print(json.dumps(sys.argv[1] in sys.path))"
    sys.exit(subprocess.call([sys.executable, "-c", code, path]))


def do_child_env(name):
    code = "import json,os,sys; print(json.dumps(os.environ.get(sys.argv[1])))"
    sys.exit(subprocess.call([sys.executable, "-c", code, name]))


def do_spawn():
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        show(pool.map(abs, [-1, -2]))


def do_stdin():
    print(sys.stdin.read().upper())


def do_both():
    print("out")
    print("err", file=sys.stderr)


def do_which(name):
    from shutil import which

    show(os.path.realpath(os.path.dirname(which(name) or "/")) == os.path.realpath(sys.prefix + "/bin"))


def do_run(name):
    print(subprocess.check_output([name]).decode("utf-8").strip())


def do_main():
    show([sys.modules["__main__"].__name__, __name__])


def do_pex():
    show([os.path.basename(os.environ["PEX"]), os.path.isabs(os.environ["PEX"])])


def do_cwd():
    show(os.getcwd() == os.path.realpath(os.environ["EXPECTED"]))


def do_warn():
    import warnings

    warnings.warn("a warning of the application")


def do_source():
    import inspect

    show(inspect.getsource(do_nothing).splitlines()[0])


def do_threads():
    import threading

    done = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    show(done)


def do_unbuffered():
    sys.stdout.write("first ")
    os.write(2, b"")
    os._exit(0)


def show_where():
    with open(os.environ["WHERE"]) as file:
        print(file.read())


if __name__ == "__main__":
    print("as a module")
    sys.exit(main())

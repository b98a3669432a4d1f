# Runs in the interpreter of a scie or of a CZEX (2.7 and newer), installed as `czscie_boot.py` beside the
# environment's `__main__.py`. Imports only what the interpreter has imported already, as every start pays.
"""Starts the application of a PEX the way a `--venv` PEX starts it (docs/reference/pex.md has the table)."""

import os
import sys

TYPE_CHECKING = False  # typing itself would be an import more
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

_OVERRIDES = ("PEX_INTERPRETER", "PEX_SCRIPT", "PEX_MODULE")

#: Keeps the history of an interactive Python in another file than its own.
_HISTORY = """\
import atexit
try:
    import readline
except ImportError:
    pass
else:
    _path = %r
    try:
        readline.read_history_file(_path)
    except (IOError, OSError):
        pass
    atexit.register(readline.write_history_file, _path)
"""

_REFUSED = {
    "PEX_PATH": "the executable contains one PEX: add the other to the PEX it is built from",
    "PEX_TOOLS": "the executable does not contain pex: run the tools on the PEX it was built from",
}

#: Where the system's certificates are, on most systems in the first of these.
_CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/pki/tls/cert.pem")
_CERTIFICATE_DIRECTORY = "/etc/ssl/certs"


class Application(object):
    """What a start module says of its application. What has the name of a field of PEX-INFO is that field.

    `entry_point` is `module` or `module:function`, `script` a file of the virtual environment's `bin`.
    `certificates` is a file of them that the application brings along. `python_flags` are those of a Python
    that PEX_INTERPRETER asks for; `refused` are variables that cannot be honoured, with the reason.
    `dpi_awareness` is what the application says of its windows (docs/reference/windows.md).
    """

    def __init__(self, **said):
        # type: (**Any) -> None
        self.entry_point = None  # type: str | None
        self.script = None  # type: str | None
        self.inject_python_args = []  # type: list[str]
        self.inject_args = []  # type: list[str]
        self.inject_env = {}  # type: Mapping[str, str]
        self.bind_resource_paths = {}  # type: Mapping[str, str]
        self.strip_pex_env = True
        self.venv_bin_path = "false"
        self.has_setproctitle = False
        self.certificates = None  # type: str | None
        self.python_flags = ["-s"]
        self.refused = _REFUSED  # type: Mapping[str, str]
        self.dpi_awareness = None  # type: str | None
        self.__dict__.update(said)

    @property
    def python(self):
        # type: () -> list[str]
        """The arguments of a Python that is started in place of the application."""
        return self.python_flags + self.inject_python_args


def boot(application):
    # type: (Application) -> None
    """Runs the application and ends the process."""
    if application.dpi_awareness is not None:
        _set_dpi_awareness(application.dpi_awareness)
    pex = os.environ.get("PEX") or sys.argv[0]
    sys.argv[0] = pex
    if application.has_setproctitle:
        _set_process_title(pex)
    for name, reason in application.refused.items():
        if os.environ.get(name):
            _fail("%s is not supported: %s" % (name, reason))
    _extend_path(os.environ.get("PEX_VENV_BIN_PATH", application.venv_bin_path))

    chosen = os.environ.pop("__CZSCIE_SCRIPT__", "")
    overrides = {name: os.environ[name] for name in _OVERRIDES if name in os.environ}
    if len(overrides) > 1:
        found = " ".join("%s=%s" % item for item in overrides.items())
        _fail("only one of %s can be set, found %s" % (", ".join(_OVERRIDES), found))
    history = _history_file()
    if application.strip_pex_env:
        _strip_environment()
    for name, value in application.inject_env.items():
        os.environ.setdefault(name, value)
    for name, resource in application.bind_resource_paths.items():
        os.environ[name] = _find_resource(name, resource)
    if application.certificates is not None:
        _provide_certificates(application.certificates)

    _inherit_path()
    if chosen and not overrides:
        # The launcher chose a script by its name: it starts as its file in the environment would.
        name, _, target = chosen.partition("=")
        sys.argv[0] = os.path.join(_bin(), name + (".exe" if os.name == "nt" else ""))
        application.entry_point, application.script = target, None if target else name
        application.inject_args = []
    script = overrides.get("PEX_SCRIPT") if overrides else application.script
    if script:
        _execute_script(os.path.join(_bin(), script), sys.argv[1:])
    if overrides.get("PEX_INTERPRETER", "").lower() in ("1", "true"):
        if history and len(sys.argv) == 1:
            _execute(sys.executable, application.python + ["-i", "-c", _HISTORY % history])
        _execute(sys.executable, application.python + sys.argv[1:])
    entry_point = overrides.get("PEX_MODULE", application.entry_point)
    if not entry_point:
        _execute(sys.executable, application.python + sys.argv[1:])
    if not overrides:
        sys.argv[1:1] = [_format(argument) for argument in application.inject_args]
    _run(entry_point)


def _set_dpi_awareness(awareness):
    # type: (str) -> None
    """Called before there is a window: later Windows refuses it. Windows 10 1607 and older do not have it.

    Source: windef.h, DPI_AWARENESS_CONTEXT.
    """
    import ctypes

    context = {"unaware": -1, "system": -2, "PerMonitor": -3, "PerMonitorV2": -4}[awareness]
    try:
        user32 = ctypes.WinDLL("user32")  # type: ignore[attr-defined, unused-ignore]
        user32.SetProcessDpiAwarenessContext(ctypes.c_void_p(context))
    except (AttributeError, OSError):
        pass


def _history_file():
    # type: () -> str | None
    """The history file of an interactive Python, when it is not Python's default."""
    if os.environ.get("PEX_INTERPRETER_HISTORY", "").lower() not in ("1", "true"):
        return None
    path = os.environ.get("PEX_INTERPRETER_HISTORY_FILE")
    return os.path.abspath(os.path.expanduser(path)) if path else None


def _inherit_path():
    # type: () -> None
    """Adds the path of the host's Python, if `__main__` of a CZEX passes it on."""
    where, _, paths = os.environ.pop("__CZSCIE_INHERIT_PATH__", "").partition(os.pathsep)
    inherited = [path for path in paths.split(os.pathsep) if path]
    if where == "prefer":
        sys.path[:0] = inherited
    elif where == "fallback":
        sys.path.extend(inherited)


def _run(entry_point):
    # type: (str) -> None
    module_name, _, function = entry_point.partition(":")
    if not function:
        import runpy

        runpy.run_module(module_name, run_name="__main__", alter_sys=True)
        return
    __import__(module_name)  # importlib would have to be imported first
    called = sys.modules[module_name]  # type: Any
    for attribute in function.split("."):
        called = getattr(called, attribute)
    sys.exit(called())


def _execute_script(script, arguments):
    # type: (str, list[str]) -> NoReturn
    """Becomes a script of the virtual environment, where there is no /bin/sh, too."""
    if not os.path.exists(script) and not os.path.exists(script + ".exe"):
        _fail("there is no script %s; there are %s" % (os.path.basename(script), ", ".join(_scripts())))
    options = _options_by_shell(script)
    if options is None:
        _execute(script, arguments)
    _execute(sys.executable, options + [script] + arguments)


def _options_by_shell(script):
    # type: (str) -> list[str] | None
    """The options of a script that starts Python through /bin/sh, because its path is too long; else None."""
    try:
        with open(script, "rb") as stream:
            first, second = stream.readline(16), stream.readline(1 << 16)
    except (IOError, OSError):
        return None
    end = b' "$0" "$@"\n'
    if first != b"#!/bin/sh\n" or not second.startswith(b"'''exec' '") or not second.endswith(end):
        return None
    return second[: -len(end)].rpartition(b"'")[2].decode("ascii").split()


def _execute(program, arguments):
    # type: (str, list[str]) -> NoReturn
    """Executes another program of the virtual environment."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":
            import subprocess

            sys.exit(subprocess.call([program] + arguments))
        os.execv(program, [program] + arguments)
    except OSError as error:
        _fail("%s cannot be started: %s" % (program, error.strerror))


def _scripts():
    # type: () -> list[str]
    """The names of the environment's scripts, without those of Python."""
    names = set()
    for name in os.listdir(_bin()):
        stem = name[: -len(".exe")] if name.endswith(".exe") else name
        if not (stem == "pythonw" or stem.rstrip("0123456789.t") == "python"):
            names.add(stem)
    return sorted(names) or ["none"]


def _bin():
    # type: () -> str
    return os.path.dirname(sys.executable)


def _extend_path(where):
    # type: (str) -> None
    if where == "false":
        return
    path = os.environ.get("PATH", "").split(os.pathsep)
    if where == "prepend":
        path.insert(0, _bin())
    elif where == "append":
        path.append(_bin())
    else:
        _fail("PEX_VENV_BIN_PATH must be one of 'false', 'prepend' or 'append', given: %r" % where)
    os.environ["PATH"] = os.pathsep.join(path)


def _strip_environment():
    # type: () -> None
    for name in list(os.environ):
        if name.startswith("PEX_"):
            if name == "PEX_EXTRA_SYS_PATH":
                # Children keep the same sys.path: the .pth file of site-packages reads this.
                os.environ["__PEX_EXTRA_SYS_PATH__"] = os.environ[name]
            del os.environ[name]


def _find_resource(name, resource):
    # type: (str, str) -> str
    relative = os.path.normpath(os.path.join(*resource.split("/")))
    if os.path.isabs(resource) or relative.startswith(os.pardir):
        _fail("the resource %s=%s must be a path relative to sys.path" % (name, resource))
    for entry in sys.path:
        path = os.path.join(entry, relative)
        if os.path.isfile(path):
            return path
    _fail("there is no file %s on sys.path to bind %s to" % (resource, name))


def _provide_certificates(bundle):
    # type: (str) -> None
    """Points OpenSSL at the application's own certificates if the system has none."""
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return
    for place in _CERTIFICATES:
        if os.path.exists(place):
            return
    try:
        if os.listdir(_CERTIFICATE_DIRECTORY):
            return
    except OSError:
        pass
    os.environ["SSL_CERT_FILE"] = bundle


class _Environment(object):
    """`env.NAME` in an injected argument; an unset variable is empty."""

    def __getattr__(self, name):
        # type: (str) -> str
        return os.environ.get(name, "")

    __getitem__ = __getattr__


class _Replacements(object):
    env = _Environment()


def _format(argument):
    # type: (str) -> str
    return argument.format(pex=_Replacements()) if "{" in argument else argument


def _set_process_title(pex):
    # type: (str) -> None
    try:
        from setproctitle import setproctitle
    except ImportError:
        return
    setproctitle("%s %s %s" % (sys.executable, pex, " ".join(sys.argv[1:])))


def _fail(message):
    # type: (str) -> NoReturn
    sys.stderr.write("%s: error: %s\n" % (os.path.basename(sys.argv[0]), message))
    sys.exit(1)

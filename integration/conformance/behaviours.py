"""What a PEX does, behaviour by behaviour: each is run as a PEX, as a CZEX and as a scie.

Written anew after what pex's own tests look at (entry points, arguments, variables, isolation, layouts,
resolves, what a virtual environment holds, processes). The same means: exit status and both outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: Options of pex, by the name of the recipe. `{x}` are directories of the workshop.
RECIPES: Mapping[str, tuple[str, ...]] = {
    "other": ("other",),
    "plain": ("probe[bell]", "-D", "{sources}", "-c", "probe", "--venv"),
    "zipapp": ("probe[bell]", "-D", "{sources}", "-c", "probe"),
    "module": ("probe", "-e", "probe", "--venv"),
    "function": ("probe", "-D", "{sources}", "-e", "mine:Holder.run", "--venv"),
    "bare": ("probe[bell]", "-D", "{sources}", "--venv"),
    "executable": ("probe", "--executable", "{sources}/mine.py", "--venv"),
    "arguments": ("probe", "-c", "probe", "--inject-args", "argv one 'two words' 'quo\"te'", "--venv"),
    "placeholder": (
        "probe",
        "-c",
        "probe",
        "--inject-args",
        "argv {pex.env.WHO} x{pex.env.NOBODY}",
        "--venv",
    ),
    "environment": (
        "probe",
        "-c",
        "probe",
        "--inject-env",
        "WHO=built",
        "--inject-env",
        "QUOTE=a\"b'c",
        "--venv",
    ),
    "python-arguments": ("probe", "-c", "probe", "--inject-python-args", "-W ignore -O", "--venv"),
    "resource": ("probe", "-c", "probe", "--bind-resource-path", "WHERE=probe_data/text.txt", "--venv"),
    "no-resource": ("probe", "-c", "probe", "--bind-resource-path", "WHERE=probe_data/none.txt", "--venv"),
    "keep": ("probe", "-c", "probe", "--no-strip-pex-env", "--venv"),
    "prepend": ("probe", "-c", "probe", "--venv", "prepend"),
    "append": ("probe", "-c", "probe", "--venv", "append"),
    "wheel-files": ("probe[bell]", "-D", "{sources}", "-c", "probe", "--no-pre-install-wheels", "--venv"),
    "packed": ("probe[bell]", "-D", "{sources}", "-c", "probe", "--layout", "packed", "--venv"),
    "loose": ("probe[bell]", "-D", "{sources}", "-c", "probe", "--layout", "loose", "--venv"),
    "sh-boot": ("probe", "-c", "probe", "--sh-boot", "--venv"),
    "excluded": ("probe[bell]", "-c", "probe", "--exclude", "bell", "--venv"),
    "overridden": ("needy", "probe", "-c", "probe", "--override", "lib==2.0", "--venv"),
    "constrained": ("probe", "-c", "probe", "--interpreter-constraint", ">=3.8", "--venv"),
    "colliding": ("probe", "twin_one", "twin_two", "-c", "probe", "--venv"),
    "namespace": ("probe", "ns_one", "ns_two", "-D", "{sources}", "-c", "probe", "--venv"),
    "path-file": ("probe", "with_path_file", "-c", "probe", "--venv"),
    "choice": ("probe", "lib", "many_tags", "-c", "probe", "--venv"),
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour. `python` are options of the Python that is given the PEX (a scie is given none).

    `differs` says why a form (`czex`, `scie`) does otherwise. `errors` is false where standard error is in
    the words of whoever speaks.
    """

    area: str
    name: str
    arguments: tuple[str | bytes, ...] = ()
    recipe: str = "plain"
    environment: Mapping[str, str | bytes] = field(default_factory=dict)
    stdin: bytes = b""
    python: tuple[str, ...] = ()
    call: str = "path"
    errors: bool = True
    differs: Mapping[str, str] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        return f"{self.area}: {self.name}"


_HERMETIC_SCIE = "PYTHON* variables are removed, not ignored, so that children are hermetic too"
_NO_ISOLATION = "the switches of PYTHON* variables work, so Python is not isolated as a whole"
_ONE_PEX = "an executable contains one PEX"
_FORGETS = "pex loses PEX_INTERPRETER when it starts Python again with these options"
_OPTIONS_OF_PYTHON = "an executable takes no options for Python"


def _all() -> Iterator[Behaviour]:
    area = "arguments"
    yield Behaviour(area, "none", ("argv",))
    yield Behaviour(area, "spaces and an empty one", ("argv", "a b", "", " "))
    yield Behaviour(area, "options are the application's", ("argv", "-c", "-m", "--help", "-", "--"))
    yield Behaviour(area, "unicode", ("argv", "größe", "日本"))
    yield Behaviour(area, "bytes that are not UTF-8", ("bytes", b"\xff\xfe", "é".encode("latin-1")))
    yield Behaviour(area, "a line feed", ("argv", "a\nb"))
    yield Behaviour(area, "quotes and backslashes", ("argv", "'", '"', "\\", "$HOME", "`x`"))
    yield Behaviour(area, "two thousand", ("argv", *(str(number) for number in range(2000))))
    yield Behaviour(area, "of 100 kB", ("argv", "x" * 100_000))
    yield Behaviour(area, "injected come first", ("mine",), "arguments")
    yield Behaviour(area, "injected alone", (), "arguments")
    yield Behaviour(
        area, "injected not for PEX_MODULE", ("argv", "x"), "arguments", {"PEX_MODULE": "probe:main"}
    )
    yield Behaviour(area, "injected not for PEX_SCRIPT", ("argv", "x"), "arguments", {"PEX_SCRIPT": "probe"})
    yield Behaviour(area, "injected with a variable", (), "placeholder", {"WHO": "me"})
    yield Behaviour(area, "injected with a variable that is not set", (), "placeholder")

    area = "exit"
    for code in (0, 1, 3, 255):
        yield Behaviour(area, f"sys.exit({code})", ("exit", str(code)))
    yield Behaviour(area, "sys.exit of a text", ("exit-text", "that was it"))
    yield Behaviour(area, "sys.exit(None)", ("exit-none",))
    yield Behaviour(area, "a returned number", ("return", "4"))
    yield Behaviour(area, "an exception", ("raise", "went wrong"))
    yield Behaviour(area, "atexit runs", ("atexit",))
    yield Behaviour(area, "excepthook runs", ("excepthook",))
    for number, name in ((15, "SIGTERM"), (9, "SIGKILL"), (6, "SIGABRT")):
        yield Behaviour(area, f"killed by {name}", ("signal", str(number)))
    yield Behaviour(area, "os._exit without a flush", ("unbuffered",))
    yield Behaviour(area, "of a zipapp", ("exit", "5"), "zipapp")
    yield Behaviour(area, "of a function", ("7",), "function")

    area = "entry point"
    yield Behaviour(area, "console script", (), "plain")
    yield Behaviour(area, "module", ("argv", "x"), "module")
    yield Behaviour(area, "function of a class in the sources", ("0",), "function")
    yield Behaviour(area, "executable", ("x",), "executable")
    yield Behaviour(area, "PEX_MODULE, a module", ("argv", "x"), environment={"PEX_MODULE": "probe"})
    yield Behaviour(area, "PEX_MODULE, a function", (), environment={"PEX_MODULE": "probe:do_nothing"})
    yield Behaviour(
        area, "PEX_MODULE of the standard library", (), environment={"PEX_MODULE": "json.tool"}, stdin=b"[1]"
    )
    yield Behaviour(area, "PEX_MODULE of a package", ("x",), environment={"PEX_MODULE": "probe_data"})
    yield Behaviour(
        area, "PEX_MODULE that is not there", (), environment={"PEX_MODULE": "nobody"}, errors=False
    )
    yield Behaviour(
        area, "PEX_SCRIPT, an entry point", ("argv", "x"), environment={"PEX_SCRIPT": "probe-other"}
    )
    yield Behaviour(area, "PEX_SCRIPT, a Python script", ("x",), environment={"PEX_SCRIPT": "pytool"})
    yield Behaviour(area, "PEX_SCRIPT, a shell script", ("x",), environment={"PEX_SCRIPT": "tool.sh"})
    yield Behaviour(
        area, "PEX_SCRIPT that is not there", (), environment={"PEX_SCRIPT": "none"}, errors=False
    )
    yield Behaviour(
        area,
        "two overrides at once",
        (),
        environment={"PEX_SCRIPT": "probe", "PEX_MODULE": "probe"},
        errors=False,
    )
    yield Behaviour(area, "none: Python with -c", ("-c", "import probe; probe.do_nothing()"), "bare")
    yield Behaviour(area, "none: Python with -m", ("-m", "probe", "argv", "x"), "bare")
    yield Behaviour(area, "none: Python with a file", ("{sources}/mine.py", "x"), "bare")
    yield Behaviour(
        area, "none: Python with its standard input", ("-",), "bare", stdin=b"import bell; print(bell.SOUND)"
    )

    area = "PEX_INTERPRETER"
    one = {"PEX_INTERPRETER": "1"}
    yield Behaviour(
        area, "-c", ("-c", "import sys, probe; print(sys.argv, probe.__name__)", "x"), environment=one
    )
    yield Behaviour(area, "-c that exits", ("-c", "raise SystemExit(9)"), environment=one)
    yield Behaviour(area, "-m", ("-m", "json.tool"), environment=one, stdin=b"{}")
    yield Behaviour(area, "a file", ("{sources}/mine.py", "a"), environment=one)
    yield Behaviour(area, "a directory", ("{package}", "a"), environment=one)
    yield Behaviour(area, "standard input", ("-", "a"), environment=one, stdin=b"import sys; print(sys.argv)")
    yield Behaviour(
        area,
        "options of Python",
        ("-O", "-c", "import sys; print(sys.flags.optimize)"),
        environment=one,
        differs={"czex": _FORGETS, "scie": _FORGETS},
    )
    yield Behaviour(area, "true", ("-c", "print(1)"), environment={"PEX_INTERPRETER": "true"})
    yield Behaviour(
        area, "0 is an override without effect", ("argv", "x"), environment={"PEX_INTERPRETER": "0"}
    )
    yield Behaviour(area, "__name__", ("-c", "print(__name__)"), environment=one)

    area = "environment"
    yield Behaviour(area, "PEX names the file", ("pex",))
    yield Behaviour(area, "VIRTUAL_ENV", ("in-venv",))
    yield Behaviour(area, "a variable", ("env", "HELLO"), environment={"HELLO": "w ö"})
    yield Behaviour(area, "an empty variable", ("env", "HELLO"), environment={"HELLO": ""})
    yield Behaviour(area, "bytes that are not UTF-8", ("env-bytes", "RAW"), environment={"RAW": b"\xff\xfe"})
    yield Behaviour(
        area, "PEX_* are removed", ("pex-variables",), environment={"PEX_OWN": "1", "PEX_EMIT_WARNINGS": "0"}
    )
    yield Behaviour(
        area, "PEX_* stay with --no-strip-pex-env", ("pex-variables",), "keep", {"PEX_EMIT_WARNINGS": "0"}
    )
    yield Behaviour(area, "injected", ("env", "WHO", "QUOTE"), "environment")
    yield Behaviour(
        area, "the user's value overrides the injected one", ("env", "WHO"), "environment", {"WHO": "user"}
    )
    yield Behaviour(
        area, "injected for PEX_MODULE too", ("env", "WHO"), "environment", {"PEX_MODULE": "probe:main"}
    )
    yield Behaviour(area, "of children", ("child-env", "HELLO"), environment={"HELLO": "x"})
    yield Behaviour(area, "a resource's path", ("run-where",), "resource", {"PEX_MODULE": "probe:show_where"})
    yield Behaviour(area, "a resource that is not there", (), "no-resource", errors=False)
    yield Behaviour(area, "scripts not on PATH", ("which", "pytool"))
    yield Behaviour(area, "scripts first on PATH", ("which", "pytool"), "prepend")
    yield Behaviour(area, "scripts last on PATH", ("which", "pytool"), "append")
    yield Behaviour(area, "a script from PATH", ("run", "probe-other"), "prepend")
    yield Behaviour(
        area, "PEX_VENV_BIN_PATH", ("which", "pytool"), environment={"PEX_VENV_BIN_PATH": "prepend"}
    )
    yield Behaviour(
        area, "PEX_VENV_BIN_PATH wins", ("which", "pytool"), "prepend", {"PEX_VENV_BIN_PATH": "false"}
    )
    yield Behaviour(
        area,
        "PEX_VENV_BIN_PATH with an invalid value",
        (),
        environment={"PEX_VENV_BIN_PATH": "x"},
        errors=False,
    )

    area = "isolation"
    leak = {"PYTHONPATH": "{leak}"}
    yield Behaviour(area, "PYTHONPATH does not leak", ("modules", "leaked", "probe"), environment=leak)
    yield Behaviour(
        area,
        "PYTHONPATH does not hide the standard library",
        ("argv", "x"),
        environment={"PYTHONPATH": "{hiding}"},
    )
    yield Behaviour(
        area,
        "PYTHONPATH stays for children",
        ("env", "PYTHONPATH"),
        environment=leak,
        differs={"scie": _HERMETIC_SCIE},
    )
    yield Behaviour(
        area, "PYTHONSTARTUP has no effect", ("argv",), environment={"PYTHONSTARTUP": "{leak}/leaked.py"}
    )
    yield Behaviour(area, "sys.flags", ("flags",), differs={"scie": _NO_ISOLATION})
    yield Behaviour(
        area, "of console scripts", ("modules", "leaked"), environment={**leak, "PEX_SCRIPT": "probe-other"}
    )
    yield Behaviour(area, "the working directory is not on the path", ("modules", "local"))
    yield Behaviour(area, "packages of the host are not seen", ("modules", "pip", "pytest"))
    yield Behaviour(area, "of a zipapp", ("modules", "leaked", "pytest"), "zipapp", leak)

    area = "options of Python"
    scie = {"scie": _OPTIONS_OF_PYTHON}
    yield Behaviour(area, "-W", ("warn",), python=("-W", "ignore"), differs=scie)
    yield Behaviour(area, "-W error", ("warn",), python=("-W", "error"), differs=scie, errors=False)
    yield Behaviour(area, "-O", ("flags",), python=("-O",), differs=scie)
    yield Behaviour(area, "-X", ("xoptions",), python=("-X", "dev", "-X", "mine"), differs=scie)
    yield Behaviour(area, "several", ("warnoptions",), python=("-W", "once", "-u", "-B"), differs=scie)
    yield Behaviour(area, "injected", ("warnoptions",), "python-arguments")
    yield Behaviour(area, "injected -O", ("flags",), "python-arguments", differs={"scie": _NO_ISOLATION})

    area = "modules"
    yield Behaviour(area, "a dependency", ("value", "bell", "SOUND"))
    yield Behaviour(area, "a source file", ("value", "mine", "NAME"))
    yield Behaviour(area, "a marker that does not hold", ("modules", "winonly"))
    yield Behaviour(area, "no extra, no dependency", ("modules", "bell"), "module")
    yield Behaviour(area, "metadata", ("version", "probe"))
    yield Behaviour(area, "all files of a distribution are there", ("exist", "probe"))
    yield Behaviour(area, "entry points", ("entry-points", "console_scripts"))
    yield Behaviour(area, "data of a package", ("resource", "probe_data", "text.txt"))
    yield Behaviour(area, "data of the sources", ("resource", "mine", "data.txt"))
    yield Behaviour(area, "source for inspect", ("source",))
    yield Behaviour(
        area,
        "a namespace of two wheels and the sources",
        ("modules", "ns.one", "ns.two", "ns.three"),
        "namespace",
    )
    yield Behaviour(area, "a namespace of pkgutil", ("modules", "old.one", "old.two"), "namespace")
    yield Behaviour(area, "a .pth file is processed", ("value", "sys", "path_file"), "path-file")
    yield Behaviour(area, "excluded", ("modules", "bell"), "excluded")
    yield Behaviour(area, "overridden", ("version", "lib"), "overridden")
    yield Behaviour(area, "of several tags", ("value", "many_tags", "NAME"), "choice")
    yield Behaviour(area, "of wheel files", ("value", "bell", "SOUND"), "wheel-files")
    yield Behaviour(area, "equal files of two wheels", ("value", "same", "NAME"), "colliding", errors=False)
    yield Behaviour(
        area, "different files of two wheels", ("value", "twin", "NAME"), "colliding", errors=False
    )
    yield Behaviour(area, "__main__ and the application", ("main",))

    area = "installation"
    yield Behaviour(area, "data scheme", ("prefix-file", "share/probe/data.txt"))
    yield Behaviour(area, "scripts scheme, Python", ("prefix-program", "bin/pytool"))
    yield Behaviour(area, "scripts scheme, shell", ("prefix-program", "bin/tool.sh"))
    yield Behaviour(area, "headers scheme", ("prefix-file", "include/site/python{version}/probe/probe.h"))
    yield Behaviour(area, "modes of a package's files", ("mode", "probe_data", "tool.sh"), differs={})
    yield Behaviour(area, "scripts of wheel files", ("prefix-program", "bin/pytool"), "wheel-files")
    yield Behaviour(area, "data of wheel files", ("prefix-file", "share/probe/data.txt"), "wheel-files")
    yield Behaviour(area, "data of packed", ("prefix-file", "share/probe/data.txt"), "packed")

    area = "layout"
    for recipe in ("zipapp", "packed", "loose", "wheel-files", "sh-boot", "constrained"):
        yield Behaviour(area, f"{recipe}: arguments", ("bytes", "x y"), recipe)
        yield Behaviour(area, f"{recipe}: modules", ("modules", "probe", "probe_data"), recipe)
    yield Behaviour(area, "packed: sources", ("value", "mine", "NAME"), "packed")
    yield Behaviour(area, "loose: sources", ("value", "mine", "NAME"), "loose")

    area = "sys.path"
    extra = {"PEX_EXTRA_SYS_PATH": "{extra}"}
    yield Behaviour(area, "PEX_EXTRA_SYS_PATH", ("value", "extra", "NAME"), environment=extra)
    yield Behaviour(area, "PEX_EXTRA_SYS_PATH in children", ("child-path", "{extra}"), environment=extra)
    yield Behaviour(
        area,
        "PEX_EXTRA_SYS_PATH for scripts",
        ("value", "extra", "NAME"),
        environment={**extra, "PEX_SCRIPT": "probe-other"},
    )
    yield Behaviour(
        area,
        "PEX_EXTRA_SYS_PATH comes last",
        ("value", "mine", "NAME"),
        environment={"PEX_EXTRA_SYS_PATH": "{hiding}"},
    )
    yield Behaviour(
        area,
        "PEX_PATH",
        ("value", "other", "NAME"),
        environment={"PEX_PATH": "{other}"},
        errors=False,
        differs={"scie": _ONE_PEX},
    )
    yield Behaviour(
        area,
        "PEX_PATH keeps what is first",
        ("value", "bell", "SOUND"),
        environment={"PEX_PATH": "{other}"},
        errors=False,
        differs={"scie": _ONE_PEX},
    )

    area = "pex's settings"
    for name, value in (
        ("PEX_VENV", "1"),
        ("PEX_EMIT_WARNINGS", "0"),
        ("PEX_VERBOSE", "0"),
        ("PEX_IGNORE_RCFILES", "1"),
        ("PEX_MAX_INSTALL_JOBS", "2"),
        ("PEX_IGNORE_ERRORS", "1"),
        ("PEX_PYTHON", "{python}"),
        ("PEX_PYTHON_PATH", "{python}"),
        ("PEX_ROOT", "{root}"),
        ("PEX_INHERIT_PATH", "false"),
        ("PEX_DISABLE_VARIABLES", "1"),
    ):
        yield Behaviour(area, f"{name}={value}", ("argv", "x"), environment={name: value})
    yield Behaviour(
        area,
        "PEX_PYTHON that is not there",
        (),
        environment={"PEX_PYTHON": "/none/python"},
        errors=False,
        differs={"scie": "an executable contains its own Python"},
    )

    area = "process"
    yield Behaviour(area, "standard input", ("stdin",), stdin=b"hello\nworld")
    yield Behaviour(area, "both outputs", ("both",))
    yield Behaviour(area, "a child of sys.executable", ("child", "a b"))
    yield Behaviour(area, "multiprocessing with spawn", ("spawn",))
    yield Behaviour(area, "threads", ("threads",))
    yield Behaviour(area, "the working directory", ("cwd",), environment={"EXPECTED": "{cwd}"})
    yield Behaviour(area, "started through a link", ("argv", "x"), call="link")
    yield Behaviour(area, "started by a relative path", ("argv", "x"), call="relative")
    yield Behaviour(area, "no HOME", ("argv", "x"), environment={"HOME": ""})
    yield Behaviour(area, "a locale without UTF-8", ("argv", "x"), environment={"LC_ALL": "C"})


BEHAVIOURS = tuple(_all())

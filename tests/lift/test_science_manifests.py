"""A manifest that was written for science is read here, and what cannot be built of it is named."""

from __future__ import annotations

from pathlib import Path

from czscie.lift.command import Environment
from czscie.lift.embedded_file import Digest, FromBinding, FromUrl
from czscie.lift.interpreter import InterpreterGroup, PyPy, PythonBuildStandalone
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.lift.peer_tools import Ptex, ScieJump
from czscie.platforms import current_platform, find_platform

DIGITS = "f829adc9d888e76c8801b4799ed444188d35239fcae3a9808a99ec5cb0d8d92c"


def read(name: str) -> Lift:
    return read_manifest(Path(__file__).parent / "science" / name)


def test_a_manifest_that_embeds_everything_has_nothing_unsupported() -> None:
    lift = read("zipapp.toml")
    assert lift.unsupported() == ()
    assert [platform.name for platform in lift.platforms] == [
        "linux-aarch64",
        "linux-x86_64",
        "musl-linux-x86_64",
        "macos-aarch64",
        "windows-x86_64",
    ]
    app, templates, busybox = lift.files
    assert (app.id, app.name, app.source) == ("app", "dist/invoices.pyz", None)
    assert app.path == Path(__file__).parent / "science" / "dist" / "invoices.pyz"
    assert (templates.id, templates.type) == (":templates", "directory")
    assert busybox.source == FromUrl("https://example.com/busybox", lazy=False)
    assert busybox.digest == Digest(1131168, DIGITS)
    assert busybox.is_executable


def test_an_equals_sign_before_a_default_makes_it_a_replacement() -> None:
    command, _ = read("zipapp.toml").commands
    assert command.args == ("-sE", "{app}")
    assert command.env == Environment(
        default={"INVOICES_COLOR": "#{scie.env.COLOR=000000}"},
        replace={
            "PATH": "#{cpython-3.13}/python/bin:{scie.env.PATH}",
            "INVOICES_TEMPLATES": "{:templates}",
        },
        remove_exact=("PYTHONPATH",),
        remove_re=(),
    )


def test_what_is_lazy_can_be_built() -> None:
    assert read("everything-lazy.toml").unsupported() == ()


def test_what_cannot_be_built_is_represented_all_the_same() -> None:
    lift = read("everything-lazy.toml")
    assert lift.base == "{scie.user.cache_dir={scie.env.HOME}}/launchpad"
    assert lift.app_info["maintainers"] == ["one", "another"]
    assert lift.scie_jump == ScieJump("1.12.0", Digest(1850000, DIGITS), None)
    assert lift.ptex == Ptex("ptex", "{scie.env.LAUNCHPAD_URLS={scie.lift}}", "1.7.0", None, None)
    assert lift.interpreters == (
        PythonBuildStandalone("cpython312", "3.12", None, "install_only_stripped", None, (), True),
        PythonBuildStandalone(
            "cpython313",
            "3.13t",
            None,
            "install_only",
            None,
            ("https://mirror.example.com/providers/PythonBuildStandalone",),
            False,
        ),
        PyPy("pypy", "3.11", "v7.3.20", (), False),
    )
    assert lift.interpreter_groups == (
        InterpreterGroup("cpython", "{scie.bindings.configure:PYTHON}", members=("cpython312", "cpython313")),
    )
    assert [file.source for file in lift.files] == [
        None,
        FromUrl("https://example.com/handbook.pdf", lazy=True),
        FromBinding("configure"),
    ]
    (binding,) = lift.bindings
    assert (binding.name, binding.env.replace) == ("configure", {"PATH": "#{cpython313:python}"})
    assert lift.platforms == (current_platform(), find_platform("windows-x86_64"))


def test_a_manifest_without_interpreters_is_read() -> None:
    lift = read("one-file.toml")
    assert lift.unsupported() == ()
    assert [command.name for command in lift.commands] == ["", "ls"]

from __future__ import annotations

import json

import pytest

from czscie.czex.info import PexInfo
from czscie.errors import CzscieError


def parse(**raw: object) -> PexInfo:
    return PexInfo.parse(json.dumps(raw).encode(), "a.pex")


def test_absent_and_null_fields_have_the_defaults_of_pex() -> None:
    for info in (parse(), parse(requirements=None, script=None, strip_pex_env=None, venv_bin_path=None)):
        assert info == PexInfo()
        assert info.strip_pex_env
        assert info.emit_warnings
        assert info.venv_hermetic_scripts
        assert not info.venv
        assert info.inherit_path == info.venv_bin_path == "false"


def test_a_pex_info_of_pex_0_7_is_read() -> None:
    info = parse(
        requirements=[["cowsay==1.0", False, None], ["six", True, "x"]],
        inherit_path=True,
        zip_safe=True,
        always_write_cache=False,
        class_hash="f00",
        entry_point="",
        pex_path="/a.pex:/b.pex",
    )
    assert info.requirements == ("cowsay==1.0", "six")
    assert info.inherit_path == "prefer"
    assert info.entry_point is None
    assert info.pex_paths == ("/a.pex", "/b.pex")
    assert info.unknown == {"zip_safe": True, "always_write_cache": False, "class_hash": "f00"}


def test_the_false_that_pex_2_1_40_wrote_for_the_path_of_scripts_is_read() -> None:
    assert parse(venv_bin_path="False").venv_bin_path == "false"


def test_the_list_of_other_pexes_is_stronger_than_the_string() -> None:
    assert parse(pex_paths=["/a:b.pex"], pex_path="/a:b.pex").pex_paths == ("/a:b.pex",)


def test_a_pex_with_a_venv_includes_the_tools_unless_it_says_otherwise() -> None:
    assert parse(venv=True).includes_tools
    assert not parse(venv=True, includes_tools=False).includes_tools
    assert not parse().includes_tools


def test_build_properties_may_be_any_json() -> None:
    properties = {"pex_version": "2.105.2", "git_state": {"tags": ["a"], "dirty": False}, "n": 1.5}
    assert parse(build_properties=properties).build_properties == properties


def test_rendering_loses_nothing() -> None:
    raw = {
        "build_properties": {"pex_version": "3"},
        "distributions": {"b.whl": "1", "a.whl": "2"},
        "requirements": ["b", "a"],
        "inject_env": {"ÄÖ": "ü"},
        "interpreter_constraints": ["CPython>=3.9"],
        "max_install_jobs": -1,
        "pex_root": "/srv",
        "from_the_future": {"deep": [1, None]},
    }
    info = parse(**raw)
    again = json.loads(info.render())
    assert {name: again[name] for name in raw} == raw
    assert PexInfo.parse(info.render(), "a.pex") == info


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "the PEX-INFO of a.pex is not JSON"),
        (b"\xff", "the PEX-INFO of a.pex is not JSON"),
        (b"[]", "the PEX-INFO of a.pex is not a JSON object"),
    ],
)
def test_what_is_no_pex_info_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CzscieError) as error:
        PexInfo.parse(data, "a.pex")
    assert error.value.what == message


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("requirements", "cowsay", "an array"),
        ("inject_args", [1], "an array of strings"),
        ("inject_env", {"A": 1}, "an object of strings"),
        ("distributions", [], "an object of strings"),
        ("entry_point", 1, "a string"),
        ("max_install_jobs", "many", "a number"),
        ("venv_bin_path", "perhaps", "one of false, prepend, append"),
        ("build_properties", "x", "an object"),
    ],
)
def test_a_field_of_another_type_is_named(field: str, value: object, expected: str) -> None:
    with pytest.raises(CzscieError) as error:
        parse(**{field: value})
    assert error.value.what == f"the PEX-INFO of a.pex has a {field} that czscie cannot read"
    assert error.value.why == (f"expected {expected}, found {json.dumps(value)}",)

from __future__ import annotations

import pytest

from czex.factories import CPYTHON_313
from czscie.czex.target import Target
from czscie.lock.resolve_failure import read_failure
from czscie.platforms import find_platform

LINUX = Target(find_platform("linux-x86_64"), CPYTHON_313.implementation, (2, 28))
INDEX = "https://pip.example/simple"
TIME = "2026-01-01T00:00:00,000 "
#: What pip 20.3 writes of a wheel that does not fit, and what newer ones write.
OLD_TAGS = (
    "  Skipping link: none of the wheel's tags match: cp313-cp313-x: {url}#sha256=00 (from {index}/cow/)"
)
NEW_TAGS = (
    "  Skipping link: none of the wheel's tags (cp313-cp313-x) are compatible (run pip debug --verbose to "
    "show compatible tags): {url} (from {index}/cow/) (requires-python:>=3.9)"
)


def missing(requirement: str, *lines: str, parent: str = "") -> str:
    """pip's log when it finds no version for `requirement`."""
    parent = f" (from {parent})" if parent else ""
    ends = (
        f"ERROR: Could not find a version that satisfies the requirement {requirement}{parent}",
        f"ERROR: No matching distribution found for {requirement}",
    )
    return "".join(f"{TIME}{line}\n" for line in (f"Looking in indexes: {INDEX}", *lines, *ends))


def found(version: str, project: str = "cow") -> str:
    name = f"{project}-{version}-py3-none-any.whl"
    return (
        f"  Found link https://files.example/{name}#sha256=00 (from {INDEX}/{project}/), version: {version}"
    )


def refused(answer: str, index: str = INDEX) -> str:
    return f"Could not fetch URL {index}/cow/: {answer} - skipping"


def read(log: str) -> tuple[tuple[str, ...], str, bool]:
    failure = read_failure(log, LINUX)
    assert failure is not None
    return failure.why, failure.hint, failure.is_final


@pytest.mark.parametrize(
    ("asked", "nearest"), [("==99", "10.1"), ("==9.9.3", "9.9.2"), ("==9", "9.9.2"), (">=11", "10.1")]
)
def test_a_version_that_does_not_exist_names_the_nearest(asked: str, nearest: str) -> None:
    log = missing(f"cow{asked}", *map(found, ("9.9.1", "9.9.2", "10.1", "1.0")), found("99", "calf"))
    why, hint, final = read(log)
    assert why == (f"no version for {LINUX} meets cow{asked}: there are 1.0, 9.9.1, 9.9.2, 10.1",)
    assert (hint, final) == (f"require cow=={nearest}", False)


def test_of_many_versions_the_newest_are_named() -> None:
    why, _, _ = read(missing("cow==99", *(found(f"1.{minor}") for minor in range(20))))
    assert why[0].endswith("there are …, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19")


@pytest.mark.parametrize(
    ("answer", "why", "hint"),
    [
        ("404 Client Error: Not Found for url: x", "pip.example has no project cow", "check its name"),
        ("401 Client Error: Unauthorized for url: x", "pip.example answered 401 (Unauthorized)", "~/.netrc"),
        ("403 Client Error: Forbidden for url: x", "pip.example answered 403 (Forbidden)", "PIP_INDEX_URL"),
        (
            "HTTPSConnectionPool(host='pip.example', port=443): Max retries exceeded with url: /simple/cow/ "
            "(Caused by ResponseError('too many 503 error responses'))",
            "pip.example answered 503 (Service Unavailable)",
            "try again later",
        ),
        (
            "connection error: HTTPSConnectionPool(host='pip.example', port=443): Max retries exceeded with "
            "url: /simple/cow/ (Caused by NewConnectionError('<pip._vendor.urllib3.Connection "
            "object at 0x7f>: Failed to establish a new connection: [Errno 101] Network is unreachable'))",
            "cannot reach pip.example: Network is unreachable",
            "HTTPS_PROXY",
        ),
    ],
    ids=["404", "401", "403", "503", "no route"],
)
def test_an_index_that_does_not_have_the_page_says_why(answer: str, why: str, hint: str) -> None:
    found_why, found_hint, final = read(missing("cow>=1", refused(answer)))
    assert found_why == (why,)
    assert hint in found_hint
    assert final


def test_a_login_in_a_url_is_not_repeated() -> None:
    answer = refused("401 Client Error: Unauthorized for url: x", "https://me:secret@pip.example/simple")
    assert "secret" not in str(read(missing("cow", answer)))


def test_an_index_that_refuses_comes_before_one_that_has_no_such_project() -> None:
    first = refused("404 Client Error: Not Found for url: x")
    second = refused("401 Client Error: Unauthorized for url: x", "https://private.example/simple")
    assert read(missing("cow", first, second))[0] == ("private.example answered 401 (Unauthorized)",)


def test_an_index_that_refuses_is_named_beside_the_versions_of_another() -> None:
    answer = refused("403 Client Error: Forbidden for url: x", "https://private.example/simple")
    why, hint, final = read(missing("cow==2", found("1.0"), answer))
    assert why[1:] == ("private.example answered 403 (Forbidden)",)
    assert (hint, final) == ("require cow==1.0", False)


@pytest.mark.parametrize("form", [OLD_TAGS, NEW_TAGS], ids=["pip 20.3", "pip 25"])
@pytest.mark.parametrize(
    ("tags", "why", "hint", "option"),
    [
        (
            ["cp313-cp313-manylinux_2_39_x86_64", "cp313-cp313-manylinux_2_34_x86_64"],
            "the wheels of cow 1.0 for linux-x86_64 need glibc 2.34",
            'set glibc = "2.34" in [lift.payload]',
            None,
        ),
        (
            ["cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp313-cp313-win_amd64"],
            "cow 1.0 has no wheel for CPython 3.13.9, only for cp312-cp312",
            "choose another version in [[lift.interpreters]]",
            "--python 3.12, or another cow",
        ),
        (
            ["cp313-cp313-win_amd64", "cp313-cp313-macosx_11_0_arm64"],
            "cow 1.0 has no wheel for linux-x86_64, only for macosx_11_0_arm64, win_amd64",
            "remove linux-x86_64 from lift.platforms",
            "build for other platforms: --platform NAME; or build a wheel on linux-x86_64 and name its "
            "directory: --find-links DIR",
        ),
    ],
    ids=["glibc", "python", "platform"],
)
def test_wheels_that_do_not_fit_say_what_they_are_for(
    form: str, tags: list[str], why: str, hint: str, option: str | None
) -> None:
    urls = [f"https://files.example/cow-1.0-{tag}.whl" for tag in tags]
    older = "https://files.example/cow-0.9-cp313-cp313-win32.whl"
    lines = [form.format(url=url, index=INDEX) for url in (older, *urls)]
    failure = read_failure(missing("cow", *lines), LINUX)
    assert failure is not None
    assert failure.why == (why,)
    assert hint in failure.hint
    assert failure.option == option
    assert not failure.is_final


def test_a_wheel_that_requires_another_python_says_which() -> None:
    line = (
        "  Link requires a different Python (3.13.9 not in: '>=3.14'): https://files.example/"
        f"cow-1.0-py3-none-any.whl#sha256=00 (from {INDEX}/cow/) (requires-python:>=3.14)"
    )
    why, _, _ = read(missing("cow", line))
    assert why == ("cow 1.0 requires Python >=3.14, and the payload runs with CPython 3.13.9",)


def test_a_wheel_of_a_directory_says_it_in_its_metadata() -> None:
    log = f"{TIME}ERROR: Package 'cow' requires a different Python: 3.11.7 not in '>=3.14'\n"
    why, hint, _ = read(log)
    assert why == ("cow requires Python >=3.14, and the payload runs with CPython 3.13.9",)
    assert hint.endswith("or require an older cow")


@pytest.mark.parametrize(
    ("requires", "python"),
    [
        (">=3.14", "3.14"),
        ("<3.13,>=3.8", "3.12"),
        (">=3.14.2", "3.14"),
        ("<3", "VERSION"),
        ("moo", "VERSION"),
    ],
)
def test_without_a_manifest_the_nearest_python_is_named(requires: str, python: str) -> None:
    log = f"{TIME}ERROR: Package 'cow' requires a different Python: 3.11.7 not in '{requires}'\n"
    failure = read_failure(log, LINUX)
    assert failure is not None
    assert failure.option == f"--python {python}, or require an older cow"


def test_a_source_that_may_not_be_built_names_the_setting() -> None:
    line = "  Skipping link: No sources permitted for cow: https://files.example/cow-2.0.tar.gz#sha256=00"
    why, hint, _ = read(missing("cow==2", line, found("1.0")))
    assert why == ("cow 2.0 has no wheel for linux-x86_64, only its source",)
    assert hint.startswith('add "cow" to build in [lift.payload]')


def test_a_dependency_names_what_requires_it() -> None:
    why, _, _ = read(missing("cow<1", found("1.0"), parent="calf==2.0"))
    assert why[1:] == ("calf==2.0 requires cow<1",)


def test_an_index_without_tls_that_pip_ignores_is_named() -> None:
    line = (
        "WARNING: The repository located at pip.example is not a trusted or secure host and is being ignored."
    )
    why, hint, _ = read(missing("cow", line))
    assert why == ("pip does not trust pip.example: its URL is http://",)
    assert "PIP_TRUSTED_HOST=pip.example" in hint


def test_without_an_index_the_directories_are_named() -> None:
    log = missing("cow", "Looking in links: /wheels").replace(f"{TIME}Looking in indexes: {INDEX}\n", "")
    assert read(log)[0] == ("/wheels has no cow, and pip uses no index",)
    asked = read_failure(log, LINUX)
    told = read_failure(log, LINUX, no_index=True)
    assert asked is not None and told is not None
    assert (asked.hint, asked.option) == ("put a wheel of cow there, or unset PIP_NO_INDEX", None)
    assert (told.hint, told.option) == (
        "put a wheel of cow there, or remove no_index from [lift.payload]",
        "put a wheel of cow there, or leave out --no-index",
    )


@pytest.mark.parametrize("log", ["", "ERROR: No matching distribution found for ???", missing("cow")])
def test_a_log_that_says_nothing_is_no_failure_of_ours(log: str) -> None:
    assert read_failure(log, LINUX) is None


def test_a_wheel_that_pip_names_among_the_files_of_another_project_is_found() -> None:
    url = "file:///wheels/cow-1.0-cp313-cp313-win_amd64.whl"
    log = missing("cow", f"  Skipping link: wrong project name (not calf): {url}")
    assert read(log)[0] == ("cow 1.0 has no wheel for linux-x86_64, only for win_amd64",)


@pytest.mark.parametrize(
    ("log", "projects"),
    [
        (missing("Cow==99", found("1.0")), ("cow",)),
        (missing("cow==99", found("1.0"), parent="Herd==2.0->farm"), ("cow", "herd")),
        (f"{TIME}Package 'Cow' requires a different Python: 3.13.9 not in '>=3.14'\n", ("cow",)),
    ],
)
def test_the_projects_that_a_failure_is_about(log: str, projects: tuple[str, ...]) -> None:
    failure = read_failure(log, LINUX)
    assert failure is not None
    assert failure.projects == projects
    assert not failure.is_everywhere


def test_an_index_that_cannot_be_reached_fails_for_all_projects() -> None:
    failure = read_failure(missing("cow", refused("503 Server Error: busy for url: x")), LINUX)
    assert failure is not None
    assert failure.is_everywhere

"""Versions, specifiers and markers as people write them, and nearly so."""

from __future__ import annotations

from hypothesis import strategies as st

_numbers = st.sampled_from(["0", "1", "2", "3", "9", "10", "01"])
_separators = st.sampled_from(["", ".", "-", "_"])


def _optional(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.tuples(*parts).map("".join))


_releases = st.lists(_numbers, min_size=1, max_size=4).map(".".join)
_pre_releases = _optional(
    _separators,
    st.sampled_from(["a", "b", "c", "rc", "alpha", "Beta", "pre", "preview"]),
    _separators,
    st.one_of(st.just(""), _numbers),
)
_post_releases = st.one_of(
    _optional(
        _separators, st.sampled_from(["post", "rev", "R"]), _separators, st.one_of(st.just(""), _numbers)
    ),
    _numbers.map("-{}".format),
)
_dev_releases = _optional(_separators, st.sampled_from(["dev", "DEV"]), _separators, _numbers)
_locals = _optional(
    st.just("+"),
    st.lists(st.sampled_from(["1", "01", "9", "10", "a", "B"]), min_size=1, max_size=3).map(".".join),
)

#: Versions (PEP 440), in all the spellings that are one.
versions = st.tuples(
    st.sampled_from(["", "", "", "v", "0!", "1!"]),
    _releases,
    _pre_releases,
    _post_releases,
    _dev_releases,
    _locals,
).map("".join)

#: What may be a version.
texts = st.one_of(
    versions,
    st.text("0123456789.!+-_*vabcrdevpost \n\u0663\u017f\u212a", max_size=12),
    st.tuples(versions, st.sampled_from(["-generic", " ", "\n", "x", ".*", "+", "\u0663"])).map("".join),
)

#: Pairs of an operator and what stands behind it.
specifiers = st.tuples(
    st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "~=", "==="]),
    st.one_of(versions, st.tuples(st.sampled_from(["", "1!"]), _releases, st.just(".*")).map("".join)),
)

#: Markers' variables, with values that a host can have.
environments = st.fixed_dictionaries(
    {
        "implementation_name": st.sampled_from(["cpython", "pypy", ""]),
        "implementation_version": st.sampled_from(["0", "3.13.9", "3.14.0rc1", "7.3.17"]),
        "os_name": st.sampled_from(["posix", "nt", "java"]),
        "platform_machine": st.sampled_from(["x86_64", "arm64", "AMD64", ""]),
        "platform_python_implementation": st.sampled_from(["CPython", "PyPy"]),
        "platform_release": st.sampled_from(["6.1.0-generic", "24.1.0", "11", "5.15.0-91-generic", ""]),
        "platform_system": st.sampled_from(["Linux", "Darwin", "Windows"]),
        "platform_version": st.sampled_from(["#1 SMP PREEMPT_DYNAMIC", "10.0.22631", "1"]),
        "python_full_version": st.sampled_from(["2.7.18", "3.8.0", "3.13.9", "3.14.0rc1", "3.15.0a1+local"]),
        "python_version": st.sampled_from(["2.7", "3.8", "3.9", "3.10", "3.13"]),
        "sys_platform": st.sampled_from(["linux", "linux2", "darwin", "win32"]),
    }
)
_literals = st.sampled_from(
    [
        *("3.8", "3.9", "3.10", "3.13.9", "3.14.0rc1", "3", "3.*", "2.7, 3.8", "3.8 3.9", "0", "1", "1.0"),
        *(
            "6.1",
            "6.1.0-generic",
            "24.1.0",
            "11",
            "10.0.22631",
            "linux",
            "lin",
            "win32",
            "win",
            "posix",
            "nt",
        ),
        *("x86_64", "AMD64", "CPython", "cpython", "PyPy", "Linux", "Darwin", "bell", "Bell_2", "zzz", ""),
    ]
)
_operators = st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "in", "not in", "~=", "==="])
_names = st.sampled_from(
    [
        *("implementation_name", "implementation_version", "os_name", "platform_machine", "platform_release"),
        *("platform_python_implementation", "platform_system", "platform_version", "python_full_version"),
        *("python_version", "python_version", "sys_platform"),
    ]
)
_conditions = st.one_of(
    st.builds('{} {} "{}"'.format, _names, _operators, _literals),
    st.builds('"{}" {} {}'.format, _literals, _operators, _names),
    st.builds('extra {} "{}"'.format, st.sampled_from(["==", "!="]), _literals.filter(bool)),
    st.builds('"{}" {} extra'.format, _literals.filter(bool), st.sampled_from(["==", "!="])),
)

#: Markers (PEP 508) with alternatives, conjunctions and parentheses.
markers = st.recursive(
    _conditions,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=5,
)
extras = st.lists(st.sampled_from(["bell", "bell-2", "1", "1-0", "zzz"]), max_size=2, unique=True)

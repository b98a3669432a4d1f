from pytest_inside.helpers import check


def test_here(number, tmp_path):
    check({"a": number}, {"a": 3})
    assert number == len(tmp_path.name)

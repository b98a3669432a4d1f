from pytest_inside import helpers


def test_passes(doubled):
    assert doubled == 6


def test_fails(number):
    helpers.check([number], [4])

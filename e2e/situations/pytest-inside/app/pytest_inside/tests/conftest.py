import pytest


@pytest.fixture
def doubled(number):
    return number * 2

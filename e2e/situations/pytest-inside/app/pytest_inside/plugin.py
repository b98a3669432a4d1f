import pytest

pytest.register_assert_rewrite("pytest_inside.helpers")


@pytest.fixture
def number():
    """A number."""
    return 3

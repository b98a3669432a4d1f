import os
import traceback

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.reflection import get_pretty_function_description, lambda_description


@settings(derandomize=True, database=None, max_examples=50)
@given(st.integers())
def check(number):
    assert number < 100


def main():
    try:
        check()
    except AssertionError as error:
        print(error.__notes__, traceback.format_exc().splitlines()[-4:-2])
    print(lambda_description(lambda x: x + 1), get_pretty_function_description(main))
    print(st.integers().map(lambda x: x * 2), sorted(os.listdir(".")))

import inspect


def main():
    from claw_package import work

    try:
        print("unchecked", work.double("a"))
    except Exception as error:
        print("checked", type(error).__name__)
    from claw_package import decorated

    try:
        print("unchecked", decorated.triple("a"))
    except Exception as error:
        print("checked", type(error).__name__)
    print(inspect.getsource(work.double), inspect.getsource(decorated))

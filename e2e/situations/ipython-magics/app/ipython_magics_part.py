import json


def twice(x):
    """Doubles."""
    return x * 2


def fall():
    return json.loads("{")


def load_ipython_extension(shell):
    shell.register_magic_function(lambda line: print("own", line), magic_name="own")


if __name__ == "__main__":
    print("ran", __name__)

NAME = "own"


def work():
    return NAME

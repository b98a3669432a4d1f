NAME = "part"


def work():
    return NAME

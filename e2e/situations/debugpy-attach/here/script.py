import json

from debugpy_attach import work


def compute(x):
    y = work.work(x)
    return json.dumps([y])


print(compute(3))

import multiprocessing
import os


class Box:
    def __init__(self, value):
        self.value = value


def square(x):
    return x * x


def fill(queue, box):
    queue.put((box.value, os.getpid() != os.getppid()))


def main():
    for method in ("spawn", "forkserver", "fork"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(4)))
        queue = context.SimpleQueue()
        process = context.Process(target=fill, args=(queue, Box(3)))
        process.start()
        print(queue.get())
        process.join()
        print(process.exitcode)
    with multiprocessing.get_context("spawn").Manager() as manager:
        shared = manager.dict(a=1)
        shared["b"] = 2
        print(dict(shared))

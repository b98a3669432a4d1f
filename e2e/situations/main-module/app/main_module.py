import multiprocessing
import pickle
import sys

import main_module as own


class Thing:
    def __eq__(self, other):
        return isinstance(other, Thing)


def report(queue):
    queue.put((__name__, sys.modules["__main__"].__name__, own.Thing() == Thing()))


def main():
    print(__name__, pickle.loads(pickle.dumps(Thing())) == Thing(), Thing.__module__)
    for method in ("spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        queue = context.SimpleQueue()
        process = context.Process(target=report, args=(queue,))
        process.start()
        print(method, queue.get())
        process.join()

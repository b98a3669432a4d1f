import tracemalloc


def take():
    return [bytearray(1000) for _ in range(100)]


def main():
    tracemalloc.start(5)
    kept = take()
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__)])
    top = snapshot.statistics("lineno")[0]
    print(top.traceback.format(), len(kept))
    print(tracemalloc.get_object_traceback(kept[0]).format()[-2:])

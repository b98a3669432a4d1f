import concurrent.futures
import multiprocessing
import traceback

STATE = {}


def prepare(value):
    STATE["value"] = value


def work(x):
    if x == 3:
        raise ValueError(f"not {x}")
    return STATE["value"] + x


def main():
    for method in ("spawn", "fork"):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(1, context, prepare, (10,)) as pool:
            print(list(pool.map(work, range(3))))
            error = pool.submit(work, 3).exception()
            print(type(error), error)
            print("raise ValueError" in "".join(traceback.format_exception(error)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        print(sorted(pool.map(len, ["a", "bb"])))

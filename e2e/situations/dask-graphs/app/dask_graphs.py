import dask
import dask.bag
import dask.config
import dask.delayed


def inc(x):
    return x + 1


def main():
    for scheduler in ("threads", "processes", "sync"):
        total = dask.delayed(sum)([dask.delayed(inc)(each) for each in range(4)])
        print(scheduler, total.compute(scheduler=scheduler, num_workers=2))
    print(
        dask.bag.from_sequence(range(6), npartitions=2)
        .map(inc)
        .filter(lambda x: x % 2)
        .compute(scheduler="processes")
    )
    print(
        dask.config.get("scheduler", None),
        sorted(dask.config.config)[:3],
        dask.base.tokenize(inc) == dask.base.tokenize(inc),
    )

from numba_cache.work import total


def main():
    print(total(1000), type(total.stats).__name__)

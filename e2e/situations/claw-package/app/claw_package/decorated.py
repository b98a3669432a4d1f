from typeguard import typechecked


@typechecked
def triple(x: int) -> int:
    return x * 3

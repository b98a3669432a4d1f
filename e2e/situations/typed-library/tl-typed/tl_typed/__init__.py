def twice(x: int) -> int:
    return x * 2

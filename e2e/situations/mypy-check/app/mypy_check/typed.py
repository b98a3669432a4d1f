def twice(x: int) -> int:
    return str(x)

def loop(count):
    total = 0
    for each in range(count):
        total += each
    if total > 5:
        return None
    return total

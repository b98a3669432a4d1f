def check(left, right):
    assert left == right

def work():
    return 1


work()

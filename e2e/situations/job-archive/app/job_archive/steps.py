def step(x):
    return x + 1

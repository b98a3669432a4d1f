def run(x):
    return x * x

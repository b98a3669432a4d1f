import sys


def work(word):
    if word == "1":
        return "one"
    return "other"


if __name__ == "__main__":
    print(work(sys.argv[1]))

import sys


def main(words):
    """Prints them."""
    print("worker", words)


if __name__ == "__main__":
    main(sys.argv[1:])

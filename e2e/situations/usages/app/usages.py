import argparse


def main():
    parser = argparse.ArgumentParser(description="Adds.", epilog="The end.")
    parser.add_argument("--version", action="version", version="%(prog)s 1")
    parser.add_argument("number", type=int, help="what to add (default: %(default)s)", choices=range(9))
    print(parser.parse_args().number)

import os

from dotenv import find_dotenv, load_dotenv


def main():
    print("found", os.path.basename(find_dotenv()))
    load_dotenv()
    print(os.environ.get("GREETING"))

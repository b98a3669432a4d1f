import lf_library


def main():
    lf_library.tell()

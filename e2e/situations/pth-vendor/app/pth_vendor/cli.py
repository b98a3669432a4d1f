import vpkg


def main():
    print(vpkg.NAME)

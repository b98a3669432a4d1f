def main():
    print("moo")
    return 7

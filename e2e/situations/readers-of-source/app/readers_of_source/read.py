# A reader.
class Reader:
    def read(self):
        return 1


def free():
    pass

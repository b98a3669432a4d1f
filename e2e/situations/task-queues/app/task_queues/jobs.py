HEARD = []


def shout(word):
    HEARD.append(word.upper())


def twice(number):
    return number * 2

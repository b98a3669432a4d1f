import os
import subprocess
import sys

from babel import Locale, dates, numbers, support


def main():
    print(Locale("de").display_name, numbers.format_decimal(1234.5, locale="de"))
    print(dates.get_timezone_name("Europe/Oslo", locale="en"), len(Locale("en").languages) > 100)
    here = os.path.dirname(__file__)
    for words in (
        ["extract", "-q", "-o", "app.pot", here],
        ["init", "-q", "-i", "app.pot", "-d", "locale", "-l", "de"],
        ["compile", "-q", "-f", "-d", "locale"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "babel.messages.frontend", *words], capture_output=True, text=True
        )
        print(done.returncode, done.stderr.partition("\n")[0])
    with open("app.pot") as stream:
        print("hello" in stream.read())
    print(support.Translations.load("locale", ["de"]).gettext("hello"))

import re
import subprocess
import sys
import warnings

PROGRAM = """
import re, warnings
re.compile("[[a]"); re.compile("[[b]")
warnings.filterwarnings("error", category=FutureWarning, module="__main__")
try:
    re.compile("[[c]")
except FutureWarning as error:
    print("error", error)
"""


def old():
    warnings.warn("old is old", DeprecationWarning, stacklevel=2)


def main():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        re.compile("[[d]")
        re.compile("[[e]")
        old()
        print([(each.filename, each.lineno, each.category.__name__) for each in caught])
    old()
    warnings.simplefilter("default")
    for _ in range(2):
        old()
    re.compile("[[f]")
    re.compile("[[g]")
    warnings.filterwarnings("error", module=__name__)
    try:
        old()
    except DeprecationWarning as error:
        print("raised", error)
    for options in ([], ["-W", "error::FutureWarning:__main__"], ["-W", "ignore"]):
        done = subprocess.run([sys.executable, *options, "-c", PROGRAM], capture_output=True, text=True)
        print(options, done.returncode, done.stdout, done.stderr)
    with open("warned.py", "w") as stream:
        stream.write("import re\nre.compile('[[h]')\nre.compile('[[i]')\nre.sub('[[j]', '', '')\n")
    print(subprocess.run([sys.executable, "warned.py"], capture_output=True, text=True).stderr)

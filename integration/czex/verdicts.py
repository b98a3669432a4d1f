# Runs in any Python of the host, 2.7 and newer.
"""Answers a line of JSON with a line of JSON: what the start of a CZEX makes of versions and markers.

The argument is the directory of the package `bootstrap`.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from bootstrap import markers, tags, versions


def is_version(text):
    try:
        versions.Version(text)
    except ValueError:
        return False
    return True


def accepts(operator, wanted, text):
    return versions.is_specifier(operator, wanted) and versions.accepts([[operator, wanted]], text)


def is_less(one, other):
    return versions.Version(one).key < versions.Version(other).key


QUESTIONS = {
    "accepts": accepts,
    "environment": markers.environment,
    "flags": lambda: getattr(sys, "abiflags", None),
    "holds": markers.holds,
    "is less": is_less,
    "is version": is_version,
    "tags": tags.supported_tags,
    "wide": lambda: sys.maxunicode > 0xFFFF,
}

for line in iter(sys.stdin.readline, ""):
    question, arguments = json.loads(line)
    print(json.dumps(QUESTIONS[question](*arguments)))
    sys.stdout.flush()

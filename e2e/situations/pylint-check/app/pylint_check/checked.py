"""Checked."""

import json.decoder
import xml.etree.ElementTree
from collections import OrderedDict

from pylint.lint import PyLinter

from pylint_check import cli, missing

json.decoder.nothing()
xml.etree.ElementTree.fromstring("")
OrderedDict().popitem()
PyLinter().nothing_at_all()
cli.main(1)

import os
import re
import sys
from contextlib import redirect_stderr
import io


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "django_manage.settings"
    from django.core.management import execute_from_command_line

    told = io.StringIO()
    try:
        with redirect_stderr(told):
            execute_from_command_line(["manage.py", *sys.argv[1:]])
    finally:
        print(re.sub(r"in [\d.]+s", "in …", told.getvalue()))

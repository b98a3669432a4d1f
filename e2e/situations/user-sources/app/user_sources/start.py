import inspect
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import user_sources_helper


def main():
    print(user_sources_helper.HELPED, Path(user_sources_helper.__file__).is_file())
    print(files("user_sources").joinpath("static", "site.css").read_text())
    print(sorted(name for name in os.listdir(os.path.dirname(__file__)) if name[0] != "_"))
    print(os.path.basename(inspect.stack()[0].filename), os.path.isfile(inspect.stack()[0].filename))
    command = [sys.executable, Path(user_sources_helper.__file__)]
    print(subprocess.run(command, capture_output=True, text=True).returncode)
    command = [sys.executable, "-c", "import user_sources_helper; print(user_sources_helper.HELPED)"]
    print(subprocess.run(command, capture_output=True, text=True).stdout)

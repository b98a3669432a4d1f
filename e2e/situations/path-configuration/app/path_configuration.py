import subprocess
import sys

import path_configuration_added


def main():
    print(path_configuration_added.NAME, sys.path_configuration)
    code = (
        "import sys; print(sys.path_configuration, [entry for entry in sys.path if entry.endswith('added')])"
    )
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    print(subprocess.run([sys.executable, "-S", "-c", code], stderr=subprocess.PIPE, text=True).stderr[-60:])
    print(subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True).stdout)

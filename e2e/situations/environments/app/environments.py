import os
import subprocess
import sys
import venv


def main():
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "made"], check=True)
    venv.create("also", symlinks=True)
    for name in ("made", "also"):
        code = "import sys, json, sqlite3, wave; print(sys.prefix != sys.base_prefix, json.loads('[1]'))"
        print(subprocess.run([f"{name}/bin/python", "-c", code], capture_output=True, text=True).stdout)
        code = "import environments"
        print(
            subprocess.run([f"{name}/bin/python", "-c", code], stderr=subprocess.PIPE, text=True).stderr[-60:]
        )
        print(sorted(os.listdir(f"{name}/bin")))

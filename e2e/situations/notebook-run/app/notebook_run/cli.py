import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    command = [
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--output-dir",
        ".",
        os.path.join(HERE, "note.ipynb"),
    ]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    print(done.returncode, done.stderr if done.returncode else "")
    with open("note.ipynb") as stream:
        for cell in json.load(stream)["cells"]:
            print([output.get("text", output.get("ename")) for output in cell.get("outputs", [])])
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "markdown", "note.ipynb"], capture_output=True, text=True
    )
    print(done.returncode, "a title" in open("note.md").read())
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "note.ipynb"], capture_output=True, text=True
    )
    print(done.returncode, os.path.getsize("note.html") > 10000)

import subprocess
import sys
from pathlib import Path

COMMANDS = "break {}:2\ncontinue\nlist 1,3\nwhere\ncontinue\nquit\n"


def main():
    beside = str(Path(__file__).with_name("work.py"))
    for words in (["-m", "pdb_command.work"], [beside], ["script.py"]):
        file = beside if words[-1] != "script.py" else "script.py"
        done = subprocess.run(
            [sys.executable, "-m", "pdb", *words],
            input=COMMANDS.format(file),
            capture_output=True,
            text=True,
        )
        print(done.stdout, done.stderr)

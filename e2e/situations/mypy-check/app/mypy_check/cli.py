import subprocess
import sys


def main():
    for words in (["script.py"], ["-p", "mypy_check"], ["-c", "import attr; reveal_type(attr.asdict)"]):
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", "cache", *words],
            capture_output=True,
            text=True,
        )
        print(done.returncode, done.stdout, done.stderr)

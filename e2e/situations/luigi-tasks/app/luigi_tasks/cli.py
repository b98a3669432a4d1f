import subprocess
import sys


def main():
    words = ["--module", "luigi_tasks.tasks", "Total", "--local-scheduler", "--no-lock", "--workers", "2"]
    done = subprocess.run([sys.executable, "-m", "luigi", *words], capture_output=True, text=True)
    print(done.returncode, ":)" in done.stderr, done.stderr.count("running"))
    print(open("total.txt").read())

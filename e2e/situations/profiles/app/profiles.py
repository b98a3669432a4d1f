import cProfile
import pstats
import re
import subprocess
import sys


def leaf():
    return sum(range(10))


def branch():
    return leaf() + leaf()


def main():
    profile = cProfile.Profile()
    profile.runcall(branch)
    profile.dump_stats("saved")
    stats = pstats.Stats("saved")
    own = [
        (file, line, name, row[0]) for (file, line, name), row in stats.stats.items() if "profiles" in file
    ]
    print(sorted(own))
    done = subprocess.run(
        [sys.executable, "-m", "cProfile", "-s", "name", "-m", "profiles"], capture_output=True, text=True
    )
    print(re.findall(r"profiles.py:\d+\(\w+\)", done.stdout), done.stderr)


if __name__ == "__main__":
    branch()

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*words):
    done = subprocess.run([sys.executable, "-m", "coverage", *words], capture_output=True, text=True)
    print(done.returncode, done.stdout, done.stderr)


def main():
    with open(".coveragerc", "w") as stream:
        stream.write(
            f"[run]\nsource_pkgs = coverage_report\nparallel = true\n[paths]\nsource =\n    {HERE}\n"
        )
    run("run", "-m", "coverage_report.measured", "1")
    run("run", "script.py")
    run("combine", "-q")
    run("report", "--format=total", "--omit", "*cli.py")
    run("json", "-q", "--omit", "*cli.py")
    with open("coverage.json") as stream:
        for path, told in sorted(json.load(stream)["files"].items()):
            print(path, told["executed_lines"], told["missing_lines"])
    run("annotate", "-d", "annotated", "--include", "*measured.py")
    (name,) = os.listdir("annotated")
    print(open(f"annotated/{name}").read())
    run("html", "-q", "-d", "pages", "--include", "*measured.py")
    print("measured" in open("pages/index.html").read())

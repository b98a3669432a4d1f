import os
import subprocess
import sys


def run(*arguments, **options):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)
    print(done.returncode, done.stdout, done.stderr, end="\n")


def main():
    beside = os.path.join(os.path.dirname(__file__), "worker.py")
    run("-m", "subprocess_self.worker", "a")
    run("-m", "subprocess_self")
    run("-c", "from subprocess_self import worker; worker.main(['b'])")
    run(beside, "c")
    run("-I", beside, "d")
    run("-", "e", input="import sys, subprocess_self.worker as w; w.main(sys.argv[1:])")
    run("script.py")
    run("directory")
    run("-m", "subprocess_self.missing")
    run("-O", "-c", "assert False; print(__debug__)")
    run("-OO", "-c", "import subprocess_self.worker as w; print(w.main.__doc__)")
    run("-E", "-s", "-c", "import subprocess_self; print(subprocess_self.__name__)")
    run("-X", "utf8", "-W", "error", "-c", "import warnings; warnings.warn('as an error')")

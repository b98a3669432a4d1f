import os
import subprocess
import sys
import warnings


def stop():
    print("stopped")


def main():
    print(
        sys.flags.hash_randomization,
        sys.flags.optimize,
        hash("a") % 1000,
        sys.stdout.encoding,
        os.environ["OWN"],
    )
    print(sys.warnoptions, sys.stdout.write_through)
    breakpoint()
    try:
        warnings.warn("raised", stacklevel=1)
    except UserWarning as error:
        print("raised", error)
    print(sorted(name for name in os.environ if name.startswith("PYTHON")))
    code = "import sys; print(sys.flags.optimize, __debug__, sys.stdout.encoding)"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)

import os
import subprocess
import sys


def main():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

    from setuid_drop import late

    print("own", late.NAME)

    import wave

    print("library", wave.__name__)

    import _sqlite3

    print("extension", _sqlite3.__name__)
    print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True, text=True).stdout)

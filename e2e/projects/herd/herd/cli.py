"""Runs on Windows: tells about its scripts, its windows, and a message box of another program."""

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main():
    found = {"scripts": scripts, "self": itself, "box": box}[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(found))


def scripts():
    done = subprocess.run(["herd-console", "a b", "é"], capture_output=True)
    told = json.loads(done.stdout)
    gui = subprocess.run(["herd-window", "window.json"])
    left = Path("window.json")
    window = json.loads(left.read_text())
    left.unlink()
    here = Path(sys.executable).parent
    wanted = ["python.exe", "pythonw.exe", "herd.exe", "herd-console.exe", "herd-window.exe"]
    missing = [name for name in wanted if not (here / name).exists()]
    if not Path(sys.base_prefix, "python3.dll").exists():
        missing.append("python3.dll")
    console = {"status": done.returncode, **told}
    return {"console": console, "gui": {"status": gui.returncode, **window}, "missing": missing}


def console():
    print(json.dumps({"argv": sys.argv[1:], "executable": Path(sys.executable).name}))
    return 7


def window():
    Path(sys.argv[1]).write_text(json.dumps({"executable": Path(sys.executable).name}))


def itself():
    return {"executable": Path(sys.executable).name, "stdout": sys.stdout is not None}


def box(program):
    """Starts `program` without handles and console, waits for its message box, reads and closes it."""
    user32 = ctypes.WinDLL("user32")
    user32.FindWindowW.restype = ctypes.c_void_p
    environment = {**os.environ, "SCIE_BOOT": "gone"}
    started = subprocess.Popen([program], env=environment, creationflags=subprocess.DETACHED_PROCESS)
    patience = time.monotonic() + 60
    found = None
    while not found and time.monotonic() < patience and started.poll() is None:
        found = user32.FindWindowW(None, "herd")
        time.sleep(0.1)
    if not found:
        return {"title": None, "status": started.poll()}
    text = ctypes.create_unicode_buffer(4000)
    user32.GetDlgItemTextW(ctypes.c_void_p(found), 0xFFFF, text, 4000)
    title = ctypes.create_unicode_buffer(100)
    user32.GetWindowTextW(ctypes.c_void_p(found), title, 100)
    user32.PostMessageW(ctypes.c_void_p(found), 0x10, None, None)  # WM_CLOSE
    return {"title": title.value, "text": text.value, "status": started.wait(60)}

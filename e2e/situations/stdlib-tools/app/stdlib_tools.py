import subprocess
import sys

RUNS = (
    (["json.tool", "--compact"], '{"a": [1]}'),
    (["tokenize"], "x = 1\n"),
    (["ast"], "x = 1\n"),
    (["dis"], "x = 1\n"),
    (["calendar", "2024", "2"], ""),
    (["base64", "-e"], "text"),
    (["zipfile", "-c", "made.zip", "note.txt"], ""),
    (["tarfile", "-c", "made.tar", "note.txt"], ""),
    (["quopri"], "grün"),
    (["mimetypes", "a.html"], ""),
    (["pickletools", "--help"], ""),
    (["encodings.rot_13"], "hello"),
    (["inspect", "colorsys:rgb_to_hls"], ""),
    (["trace", "--listfuncs", "--module", "stdlib_tools_part"], ""),
    (["py_compile", "script.py"], ""),
    (["compileall", "-q", "."], ""),
    (["unittest", "--help"], ""),
    (["this"], ""),
    (["antigravity.missing"], ""),
)


def main():
    for words, text in RUNS:
        done = subprocess.run([sys.executable, "-m", *words], input=text, capture_output=True, text=True)
        shown = done.stdout if words[0] not in ("dis", "unittest", "pickletools") else done.stdout[:20]
        print("#", *words, done.returncode)
        print("\n".join(line for line in shown.splitlines() if "lib/python" not in line), done.stderr)

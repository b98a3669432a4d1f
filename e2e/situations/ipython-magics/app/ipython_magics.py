import subprocess
import sys

import ipython_magics_part

LINES = """
import ipython_magics_part as part, json
part.twice??
%pfile part
%psource json.loads
%run script.py
%run -m ipython_magics_part
get_ipython().complete("part.tw")
part.fall()
%pdef part.twice
%load_ext ipython_magics_part
%own word
"""


def main():
    words = [
        "-m",
        "IPython",
        "--no-banner",
        "--simple-prompt",
        "--colors=NoColor",
        "--HistoryManager.enabled=False",
    ]
    done = subprocess.run([sys.executable, *words], input=LINES, capture_output=True, text=True)
    shown = [line for line in done.stdout.splitlines() if not line.startswith("Docstring")]
    print("\n".join(shown))
    print(done.returncode, done.stderr, ipython_magics_part.twice(2))

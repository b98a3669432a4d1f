"""`bench` lies beside `src` and is not installed; this directory is no package, as it would hide it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

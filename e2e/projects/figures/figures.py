"""Extension modules at work: numpy's linear algebra, a pandas table, and both in the children of a pool."""

from __future__ import annotations

import io
import json
import multiprocessing
import sys

import numpy as np
import pandas as pd

TABLE = """city,year,rain
Oslo,2021,763
Oslo,2022,802
Bergen,2021,2250
Bergen,2022,2421
"""


def solve(scale: float) -> float:
    """The sum of the solution of a small system; 5 for a scale of 1."""
    return float(np.linalg.solve(np.array([[3.0, 1.0], [1.0, 2.0]]) / scale, np.array([9.0, 8.0])).sum())


def main() -> None:
    frame = pd.read_csv(io.StringIO(TABLE))
    rain = frame.groupby("city")["rain"].mean()
    figures: dict[str, object] = {
        "solution": round(solve(1.0), 9),
        "rain": {city: float(mean) for city, mean in rain.items()},
        "date": pd.Timestamp("2024-02-29", tz="Europe/Oslo").isoformat(),
        "files": [np.__file__, pd.__file__],
    }
    if "pool" in sys.argv[1:]:
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            figures["pool"] = [round(value, 9) for value in pool.map(solve, [1.0, 2.0])]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""What the scenario numpy-pandas runs: imports both and uses each once."""

# mypy: ignore-errors
# Needs what only the environments of the contestants have.

from __future__ import annotations

import numpy as np
import pandas as pd


def main() -> None:
    rain = pd.DataFrame({"city": ["Oslo", "Bergen", "Oslo"], "rain": [763.0, 2250.0, 802.0]})
    solution = np.linalg.solve(np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([9.0, 8.0]))
    print(f"{rain.groupby('city')['rain'].mean().sum():.1f} {solution.sum():.1f}")


if __name__ == "__main__":
    main()

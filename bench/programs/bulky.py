"""What the scenario large runs: reads one file of a payload of gigabytes."""

from __future__ import annotations

from pathlib import Path


def main() -> None:
    data = Path(__file__).with_name("bulky_data")
    files = sorted(data.iterdir())
    print(f"{len(files)} files, the first begins with {files[0].read_bytes()[:4].hex()}")


if __name__ == "__main__":
    main()

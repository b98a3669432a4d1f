from pathlib import Path


def contents() -> list[str]:
    return sorted(Path(__file__).with_name("drawers.txt").read_text().split())

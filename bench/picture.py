"""Draws the recorded figures: `python -m bench.picture` writes docs/assets/figures.svg.

The picture has its own colours for light and dark pages, no script, and no font but the reader's.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECORDED = Path(__file__).with_name("recorded.toml")
PICTURE = Path(__file__).parents[1] / "docs/assets/figures.svg"

SCENARIO = "numpy-pandas"
STATES = ("cold", "warm")

#: Pixels.
_WIDTH, _LABELS, _BAR, _ROW, _TOP = 720, 190, 12, 38, 64

_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.note { font-size: 11px; fill: #59636e }
.cold { fill: #b45309 } .warm { fill: #0f766e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note { fill: #9198a1 }
  .cold { fill: #f59e0b } .warm { fill: #2dd4bf }
}
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """`figures` are by scenario: `size` in MB, `cold` and `warm` in milliseconds, each if it was measured."""

    name: str
    needs_python: bool
    figures: dict[str, dict[str, float]]

    @classmethod
    def read(cls, row: dict[str, Any]) -> Contestant:
        scenarios = {name: value for name, value in row.items() if isinstance(value, dict)}
        return cls(row["name"], row.get("needs_python", False), scenarios)

    def row(self, scenarios: tuple[str, ...]) -> str:
        """Its row of a Markdown table."""
        cells = [cell for scenario in scenarios for cell in self._cells(self.figures.get(scenario, {}))]
        return f"| {self.name} |" + "".join(f" {cell} |" if cell else " |" for cell in cells)

    def _cells(self, figures: dict[str, float]) -> Iterator[str]:
        for name in ("size", *STATES):
            text = f"{figures[name]:g}" if name in figures else ""
            yield f"{text} and a CPython" if text and name == "size" and self.needs_python else text


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded run of the bench."""

    about: str
    contestants: tuple[Contestant, ...]

    @classmethod
    def read(cls, path: Path = RECORDED) -> Recorded:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        about = f"{document['python']}, {document['machine']}, {document['recorded']}: {document['command']}"
        return cls(about, tuple(map(Contestant.read, document["contestants"])))

    def table(self) -> list[str]:
        """The rows of a Markdown table: name, then size, cold and warm start of each scenario."""
        return [each.row(("cowsay", SCENARIO)) for each in self.contestants]

    def draw(self) -> str:
        """The starts of who was measured with numpy and pandas, as SVG."""
        shown = [each for each in self.contestants if "warm" in each.figures.get(SCENARIO, {})]
        most = max(each.figures[SCENARIO].get("cold", 0) for each in shown)
        height = _TOP + _ROW * len(shown) + 24
        body = "".join(
            _draw_row(each, _TOP + _ROW * number, (_WIDTH - _LABELS - 70) / most)
            for number, each in enumerate(shown)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">\n'
            f"<title>Starts of a program with numpy and pandas</title>\n<style>\n{_STYLE}</style>\n"
            '<text class="title" x="0" y="16">Starts with numpy and pandas, in milliseconds</text>\n'
            f'<rect class="cold" x="{_LABELS}" y="30" width="{_BAR}" height="{_BAR}"/>'
            f'<text x="{_LABELS + 18}" y="41">cold: the first</text>\n'
            f'<rect class="warm" x="{_LABELS + 130}" y="30" width="{_BAR}" height="{_BAR}"/>'
            f'<text x="{_LABELS + 148}" y="41">warm: every later one</text>\n'
            f'{body}<text class="note" x="0" y="{height - 6}">{html.escape(self.about)}</text>\n</svg>\n'
        )


def _draw_row(contestant: Contestant, top: int, scale: float) -> str:
    name = html.escape(contestant.name.replace("`", ""))
    lines = [f'<text x="0" y="{top + 18}">{name}</text>\n']
    figures = contestant.figures[SCENARIO]
    for number, state in enumerate(state for state in STATES if state in figures):
        y, width = top + number * (_BAR + 2), figures[state] * scale
        bar = f'<rect class="{state}" x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'
        figure = f'<text class="note" x="{_LABELS + width + 6:.1f}" y="{y + 10}">{figures[state]:g}</text>'
        lines.append(f"{bar}{figure}\n")
    return "".join(lines)


if __name__ == "__main__":
    PICTURE.write_text(Recorded.read().draw(), encoding="utf-8")

"""The page of a vendor directory: what is in it, for people who decide what may cross a border."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from czscie import __version__
from czscie.console import megabytes
from czscie.lift.lift import Lift
from czscie.platforms import Platform

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top }
code { font-size: .85em; overflow-wrap: anywhere }
.number { text-align: right; white-space: nowrap }
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One file: what it is, of what, in which version; `path` in the directory, `size` in bytes."""

    kind: str
    name: str
    version: str
    path: str
    sha256: str
    size: int
    licences: tuple[str, ...] = ()


def page(lift: Lift, platforms: Sequence[Platform], rows: Sequence[Row]) -> str:
    """The whole page: HTML without anything that is loaded from elsewhere."""
    names = [platform.name for platform in platforms]
    sboms = ", ".join(_link(f"sbom/{lift.name}-{name}.cdx.json", name) for name in names)
    lock = lift.lock_path.name
    total = megabytes(sum(row.size for row in rows))
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{_text(lift.name)}</title>
<style>{_STYLE}</style>
<h1>{_text(lift.name)}</h1>
<p>{_text(lift.description or "")}</p>
<p>Everything that czscie {_text(__version__)} needs to build it for {_text(", ".join(names))}
without a network, {_text(total)} in {len(rows)} files. Beside the manifest:</p>
<pre>czscie build --offline --vendor DIRECTORY {_text(lift.path.name)}</pre>
<p>The digests of all files are in {_link("SHA256SUMS")}: <code>czscie vendor --verify DIRECTORY</code> and
<code>sha256sum --check SHA256SUMS</code> compare them. What is locked is in {_link(lock)}. Bills of materials
(CycloneDX 1.6): {sboms}.</p>
<table>
<tr><th>what</th><th>name</th><th>version</th><th>file</th><th>size</th><th>SHA-256</th><th>licences</th></tr>
{"".join(_rows(rows))}</table>
</html>
"""


def _rows(rows: Sequence[Row]) -> Iterable[str]:
    for row in rows:
        licences = " ".join(_link(path, path.rpartition("/")[2]) for path in row.licences)
        yield (
            f"<tr><td>{_text(row.kind)}<td>{_text(row.name)}<td>{_text(row.version)}"
            f"<td>{_link(row.path, row.path.rpartition('/')[2])}<td class=number>{_text(megabytes(row.size))}"
            f"<td><code>{row.sha256}</code><td>{licences}</tr>\n"
        )


def _link(path: str, text: str | None = None) -> str:
    return f'<a href="{html.escape(quote(path))}">{_text(text or path)}</a>'


def _text(text: str) -> str:
    return html.escape(text)

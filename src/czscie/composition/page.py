"""The page of a composition or of a comparison: one file of HTML that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import resources
from string import Template
from typing import Any

from czscie import __version__
from czscie.composition.comparison import Change, compare
from czscie.composition.composition import Composition, Fact
from czscie.composition.piece import Piece
from czscie.console import megabytes

#: What would show as something else than it is: control characters, marks that turn the direction of text,
#: half characters, line separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NONE = Piece("", "", 0, 0)


def page(now: Composition, was: Composition | None = None) -> str:
    """The page of `now` or, with `was`, of what changed since."""
    data = _document(now) if was is None else _comparison(was, now)
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_asset("page.html")).substitute(
        policy=policy,
        title=html.escape(data["name"]),
        style=style,
        script=script,
        data=_as_json(data),
        version=html.escape(__version__),
    )


def visible(text: str) -> str:
    r"""`text` with escapes for characters that do not show, or that change how others do: `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each.encode("unicode_escape", "surrogatepass").decode()
        if unicodedata.category(each) in _INVISIBLE
        else each
        for each in text
    )


def _asset(name: str) -> str:
    return resources.files("czscie.composition").joinpath(name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The source expression of an inline element with this text (CSP Level 3, 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _as_json(data: Any) -> str:
    """JSON for a script element: it has no `<`, so it neither ends the element nor begins a comment."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _document(composition: Composition) -> dict[str, Any]:
    whole = composition.whole
    return {
        **_facts(composition),
        "was": None,
        "eyebrow": visible(composition.form),
        "figures": [
            ["packed", megabytes(whole.packed)],
            ["installed", megabytes(whole.installed)],
            ["files installed", f"{composition.files:,}"],
        ],
        "root": _piece(whole),
    }


def _comparison(was: Composition, now: Composition) -> dict[str, Any]:
    change = compare(was.whole, now.whole)
    return {
        **_facts(now),
        "was": visible(was.path.name),
        "eyebrow": visible(f"{now.form}: {now.path}, compared with {was.path}"),
        "figures": [
            ["packed", _difference(was.whole.packed, now.whole.packed)],
            ["installed", _difference(was.whole.installed, now.whole.installed)],
            ["files installed", f"{was.files:,} → {now.files:,}"],
        ],
        "root": _change(change),
    }


def _facts(composition: Composition) -> dict[str, Any]:
    return {
        "name": visible(composition.name),
        "host": _rows(composition.needs),
        "contents": _rows(composition.facts),
        "digests": _rows(composition.digests),
        "licences": [
            [visible(each.name), visible(each.version), visible(", ".join(each.licences))]
            for each in composition.licences
        ],
        "modules": list(_modules(composition.whole)),
        "notes": composition.notes,
    }


def _rows(facts: Iterable[Fact]) -> list[list[str]]:
    return [[visible(fact.name), visible(fact.value)] for fact in facts]


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "name": visible(piece.name),
        "detail": visible(piece.detail),
        "kind": piece.kind,
        "form": piece.form,
        "why": visible(piece.why),
        "packed": piece.packed,
        "installed": piece.installed,
        "parts": [_piece(part) for part in piece.parts],
    }


def _change(change: Change) -> dict[str, Any]:
    piece, was = change.now or change.was or _NONE, change.was or _NONE
    now = change.now or _NONE
    detail = piece.detail
    if was.detail and now.detail and was.detail != now.detail:
        detail = f"{was.detail} → {now.detail}"
    return {
        **_piece(replace(piece, packed=now.packed, installed=now.installed, detail=detail, parts=())),
        "there": change.now is not None,
        "was": {"packed": was.packed, "installed": was.installed, "there": change.was is not None},
        "parts": [_change(part) for part in change.parts],
    }


def _modules(whole: Piece) -> Iterator[list[Any]]:
    """For each piece of the file that has modules: its name, how many are in an import archive only, how many
    are files, and why.
    """
    for piece in whole.parts:
        leaves = list(_leaves(piece))
        reasons = Counter(leaf.why for leaf in leaves if leaf.form in ("module", "bare"))
        packed = sum(leaf.form == "archive" for leaf in leaves)
        if packed or any(reasons):
            why = "; ".join(reason for reason, _ in reasons.most_common() if reason)
            yield [visible(piece.name), packed, reasons.total(), visible(why)]


def _leaves(piece: Piece) -> Iterator[Piece]:
    if not piece.parts:
        yield piece
    for part in piece.parts:
        yield from _leaves(part)


def _difference(was: int, now: int) -> str:
    sign = "+" if now > was else "\u2212"
    return f"{megabytes(was)} → {megabytes(now)} ({sign}{megabytes(abs(now - was))})"

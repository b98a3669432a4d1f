"""`czscie explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from czscie.commands import candidates


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            help="The code of an error, as in error[CZ301].",
            show_default="all",
            autocompletion=candidates.codes,
        ),
    ] = None,
) -> None:
    """Explain an error by its code: what happened, why, and how to fix it."""
    from czscie.console import write_result
    from czscie.explain.page import Page, all_pages, find_code

    if code is None:
        for page in all_pages():
            write_result(f"{page.code.value}  {page.title}")
    else:
        write_result(Page.of(find_code(code)).text)

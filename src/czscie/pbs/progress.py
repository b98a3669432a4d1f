"""How a download shows: a bar on a terminal, one quiet line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from czscie.console import Console


#: Takes the bytes that are there and how many there will be, None where nobody knows.
Show = Callable[[int, "int | None"], None]


class Progress:
    """Speaks through `console`; None says nothing at all."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console

    def line(self, text: str) -> None:
        """Say `text`."""
        if self._console is not None:
            self._console.line(text)

    @contextmanager
    def work(self, name: str) -> Iterator[Show]:
        """Show how far work on bytes has come; nothing where nobody watches."""
        if self._console is None or not self._console.errors.is_terminal:
            yield lambda done, total: None
            return
        with self._bars() as show:
            yield show(name)

    @contextmanager
    def transfer(self, name: str) -> Iterator[Show]:
        """Show the transfer of the file `name` as long as the context lasts."""
        if self._console is None or not self._console.errors.is_terminal:
            self.line(f"downloading {name}")
            yield lambda done, total: None
            return
        with self._bars() as show:
            yield show(name)

    @contextmanager
    def _bars(self) -> Iterator[Callable[[str], Show]]:
        assert self._console is not None
        from rich import progress
        from rich.table import Column

        # The names are longer than most terminals are wide: figures first, the name as far as it goes.
        columns = (
            progress.BarColumn(bar_width=20),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
        )
        with progress.Progress(*columns, console=self._console.errors, transient=True, expand=True) as bars:

            def show(name: str) -> Show:
                task = bars.add_task(name, total=None)
                return lambda done, total: bars.update(task, completed=done, total=total)

            yield show

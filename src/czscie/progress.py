"""Progress reports: bars on a terminal, one quiet line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from czscie.console import Console


#: Takes the bytes that are there and how many there will be, None if unknown.
Show = Callable[[int, "int | None"], None]
#: Begins to show one file by its name and its size in bytes, None if unknown; done with the context.
Begin = Callable[[str, "int | None"], AbstractContextManager[Show]]


class Progress:
    """Reports through `console`; with None it prints nothing."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console

    def line(self, text: str) -> None:
        """Say `text`."""
        if self._console is not None:
            self._console.line(text)

    def warn(self, text: str) -> None:
        if self._console is not None:
            self._console.warn(text)

    @contextmanager
    def work(self, name: str) -> Iterator[Show]:
        """Shows the progress of work on bytes; does nothing without a terminal."""
        if not self._is_watched():
            yield _nothing
            return
        with self._bars() as bars:
            yield _bar(bars, name, None)

    @contextmanager
    def transfers(self, files: Sequence[tuple[str, int | None]]) -> Iterator[Begin]:
        """Show downloads, from several threads: a bar for each that is on its way, and one for all together.

        `files` are their names and sizes in bytes, None if unknown.
        """
        if not self._is_watched():
            self.line(f"downloading {files[0][0] if len(files) == 1 else f'{len(files)} files'}")
            yield lambda name, size: nullcontext(_nothing)
            return
        with self._bars() as bars:
            if len(files) == 1:
                yield lambda name, size: nullcontext(_bar(bars, name, size))
                return
            sizes = [size for _, size in files if size is not None]
            together = bars.add_task(
                f"{len(files)} files", total=sum(sizes) if len(sizes) == len(files) else None
            )

            @contextmanager
            def begin(name: str, size: int | None) -> Iterator[Show]:
                task, before = bars.add_task(name, total=size), 0

                def show(done: int, total: int | None) -> None:
                    nonlocal before
                    bars.update(task, completed=done, total=total)
                    bars.advance(together, done - before)
                    before = done

                try:
                    yield show
                finally:
                    bars.remove_task(task)

            yield begin

    def _is_watched(self) -> bool:
        return self._console is not None and self._console.errors.is_terminal

    @contextmanager
    def _bars(self) -> Iterator[Bars]:
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
            yield bars


def _bar(bars: Bars, name: str, size: int | None) -> Show:
    task = bars.add_task(name, total=size)
    return lambda done, total: bars.update(task, completed=done, total=total)


def _nothing(done: int, total: int | None) -> None:
    """Reports nothing."""

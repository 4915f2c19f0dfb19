"""Ruled tables in plain text."""

from collections.abc import Iterable, Sequence


def ruled(header: Sequence[str], rows: Iterable[Sequence[str]], width: int, caption: str = "") -> str:
    """A table at most `width` columns wide, with a caption below it; long cells wrap, nothing is cut."""
    from rich.console import Console
    from rich.table import Table

    table = Table(caption=caption or None, caption_justify="left")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(width=width, color_system=None, markup=False, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())

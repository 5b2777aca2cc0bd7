"""Pages of documentation on a screen."""

from typing import TextIO

from rich.markdown import Markdown

from sparkctl.report.screen import console_for


def page_for(stream: TextIO, text: str) -> str:
    """A page of Markdown as text for a terminal, with its colours where the terminal has them."""
    console = console_for(stream)
    with console.capture() as capture:
        console.print(Markdown(text, hyperlinks=False))
    return capture.get()

"""The runbook of a playbook as one page to read and to print: nothing is loaded, nothing runs, all is escaped."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from sparkctl.report.runbook import COMMANDS, NAMES, ONLY_CONTROLLERS, Runbook
from sparkctl.report.runbook_markdown import printable_text
from sparkctl.report.templates import environment

_LINK = re.compile(r"(https?://|mailto:|#|[\w.-][\w./-]*(#|$))", re.IGNORECASE)
_DEEPER = 2  # the text stands under a heading of the page's second level


def page(runbook: Runbook) -> str:
    """The whole page."""
    text = rendered(runbook.text) if runbook.text.strip() else None
    template = environment().get_template("runbook.html")
    return template.render(book=runbook, commands=COMMANDS, text=text, intro=f"{ONLY_CONTROLLERS} {NAMES}")


def rendered(text: str) -> Markup:
    """Markdown as HTML: no HTML of its own, no picture, and links to pages only."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.validateLink = _is_link  # type: ignore[method-assign, assignment]
    tokens = parser.parse(printable_text(text))
    _lower_headings(tokens)
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - it escapes all that is text


def _is_link(target: str) -> bool:
    return _LINK.match(target) is not None


def _lower_headings(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + _DEEPER, 6)}"

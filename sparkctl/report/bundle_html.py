"""The page of a bundle as one file for a browser: nothing is loaded, nothing runs, everything is escaped."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from sparkctl.model.bundle_page import BundlePage
from sparkctl.model.reset import Transition
from sparkctl.model.reset_report import kind_of
from sparkctl.report import bundle_words
from sparkctl.report.entry_text import Shown
from sparkctl.report.reset import TITLES
from sparkctl.report.templates import environment
from sparkctl.report.words import size


@dataclass(frozen=True, slots=True)
class EntryText:
    """An artefact to be folded into the page; `state` says what it lacks, `opens_group` that it is the first of one."""

    group: str
    opens_group: bool
    path: str
    bytes: int
    state: str
    source: str
    shown: Shown


def write_page(page: BundlePage, texts: Iterable[EntryText], file: BinaryIO) -> None:
    """Write the page as UTF-8; the texts are taken one by one."""
    said = page.findings or ()
    template = environment().get_template("bundle.html")
    pieces = template.generate(
        page=page,
        words=bundle_words,
        size=size,
        look=_look,
        origin=bundle_words.origin(page),
        findings=[
            (status.value, title, [one for one in said if one.status is status])
            for status, title in bundle_words.TITLES.items()
            if any(one.status is status for one in said)
        ],
        well=[one for one in said if one.status not in bundle_words.TITLES],
        lost=bundle_words.lost(page.missing),
        texts=texts,
    )
    for piece in pieces:
        file.write(piece.encode("utf-8"))


def _look(end: Transition) -> str:
    return TITLES[kind_of(end.claims, end.flat.expected)][2]

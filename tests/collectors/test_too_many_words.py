"""The document of a bundle that is over its limit loses words, and no entry."""

import json

from diag.commands.bundle import DROPS
from diag.nodekit.document import fit
from diag.nodekit.judge import Document


def over(limit: int) -> Document:
    """The document as it is sent: one entry of each status, each with long words."""
    statuses = ("collected", "absent", "partial", "missing")
    artefacts = [{"name": f"log/{status}", "status": status, "words": "x" * 300} for status in statuses]
    data = {"recording": [{"name": "node", "status": "collected"}], "artefacts": artefacts, "listing": []}
    whole = {"ok": True, "data": data, "errors": [], "meta": {"truncated": False, "truncation": []}}
    document: Document = json.loads(fit(whole, limit, DROPS))
    return document


def with_words(document: Document) -> list[str]:
    return [one["status"] for one in document["data"]["artefacts"] if "words" in one]


def test_words_about_what_is_whole_go_first() -> None:
    document = over(1200)
    assert with_words(document) == ["partial", "missing"]
    assert document["meta"] == {
        "truncated": True, "truncation": [{"part": "words about what was taken", "dropped": 2}],
    }  # fmt: skip


def test_then_all_words_and_never_an_entry() -> None:
    document = over(700)
    assert with_words(document) == []
    assert [one["status"] for one in document["data"]["artefacts"]] == ["collected", "absent", "partial", "missing"]
    assert [one["dropped"] for one in document["meta"]["truncation"]] == [2, 2]


def test_nothing_is_dropped_where_there_is_room() -> None:
    assert len(with_words(over(10_000))) == 4

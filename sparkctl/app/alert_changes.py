"""Watched fields of facets that a collection found otherwise than they were."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sparkctl.app.baseline_file import BaselineFile
from sparkctl.model.alert import AlertKind, AlertSeverity
from sparkctl.model.alert_book import Problem, fingerprint_of
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.difference import Difference, Kind, differences, value_at
from sparkctl.model.facets.paths import from_text, to_text
from sparkctl.model.printable import clip
from sparkctl.report.words import brief
from sparkctl.store.store import Store

_MOVED = (Kind.CHANGED, Kind.APPEARED, Kind.DISAPPEARED)


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is otherwise; `matters` is false where that is what the baseline expects."""

    field: str
    before: Any
    after: Any
    matters: bool

    @property
    def before_digest(self) -> str:
        """Stands for the value before."""
        return digest_of(self.before)

    @property
    def after_digest(self) -> str:
        """Stands for the value now."""
        return digest_of(self.after)

    def fingerprint(self, node: str) -> str:
        """The name of this change on a node."""
        return fingerprint_of(AlertKind.CHANGED.value, self.field, self.before_digest, self.after_digest, node)

    def problem(self, node: str) -> Problem:
        """The change as something to be told of."""
        words = clip(f"{self.field}: {_said(self.before)} → {_said(self.after)}")
        return Problem(
            fingerprint=self.fingerprint(node),
            kind=AlertKind.CHANGED,
            subject=words,
            scope=self.field,
            node=node,
            severity=AlertSeverity.WARN,
            summary=words,
            action="acknowledge it if it was meant; see when and where: sparkctl history NODE --facet, sparkctl drift",
            simulated=False,
            words_of=node,
            before=self.before_digest,
            after=self.after_digest,
        )


def digest_of(value: Any) -> str:
    """Stands for a JSON value, which may be long."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def changes_of(
    store: Store, run_id: str, rules: AlertRules, baseline: BaselineFile | None
) -> dict[tuple[str, str], Change]:
    """The watched fields that a run found otherwise, by node and field; documents that were alike are compared once."""
    moved = store.superseded(run_id)
    documents = store.facet_documents({number for each in moved for number in (each.before, each.after)})
    compared: dict[tuple[int, int], list[Change]] = {}
    found: dict[tuple[str, str], Change] = {}
    for each in moved:
        pair = (each.before, each.after)
        if pair not in compared:
            seen = differences(documents[each.before], documents[each.after])
            compared[pair] = list(_watched(each.facet, seen, rules, baseline))
        found |= {(each.node_id, change.field): change for change in compared[pair]}
    return found


def is_expected(baseline: BaselineFile | None, field: str, value_digest: str) -> bool:
    """Whether the baseline has this value for a field."""
    facet, *path = from_text(field)
    expected = baseline.baseline.facets.get(facet) if baseline else None
    value = value_at({"data": expected}, tuple(path)) if expected else None
    return value is not None and digest_of(value) == value_digest


def _watched(facet: str, seen: list[Difference], rules: AlertRules, baseline: BaselineFile | None) -> Iterator[Change]:
    for difference in seen:
        path = (facet, *difference.path)
        if difference.kind in _MOVED and rules.watches(path):
            field = to_text(path)
            expected = is_expected(baseline, field, digest_of(difference.after))
            yield Change(field, difference.before, difference.after, matters=not expected)


def _said(value: Any) -> str:
    return "nothing" if value is None else brief(value)

"""What a document leaves out when it is over its limit, the least telling first; the claims go last."""

from __future__ import annotations

from typing import Any

from diag.nodekit import document

Data = dict[str, Any]


def _advice_of_older(data: Data) -> int:
    return _emptied(data["transitions"][1:], "would_decide")


def _antecedents_of_older(data: Data) -> int:
    return _emptied(data["transitions"][1:], "antecedents") + _unused_observations(data)


def _emptied(transitions: list[Data], key: str) -> int:
    dropped = sum(len(one[key]) for one in transitions)
    for one in transitions:
        one[key] = []
    return dropped


def _antecedents(data: Data) -> int:
    dropped = sum(len(one["antecedents"][4:]) for one in data["transitions"])
    for one in data["transitions"]:
        one["antecedents"] = one["antecedents"][:4]
    return dropped + _unused_observations(data)


def _excerpts(data: Data) -> int:
    long = [one for one in data["observations"] if len(one["excerpt"]) > 80]
    for one in long:
        one["excerpt"] = one["excerpt"][:79] + "…"
    return len(long)


def _older_half(data: Data) -> int:
    """Half of the transitions, the oldest; what is left is whole."""
    keep = max(1, len(data["transitions"]) // 2)
    dropped = len(data["transitions"]) - keep
    data["transitions"] = data["transitions"][:keep]
    return dropped + _unused_observations(data)


def _unused_observations(data: Data) -> int:
    used = {
        name
        for one in data["transitions"]
        for part in ("proof", "antecedents")
        for item in one[part]
        for name in item["premises" if part == "proof" else "observations"]
    }
    before = len(data["observations"])
    data["observations"] = [one for one in data["observations"] if one["id"] in used]
    return before - len(data["observations"])


DROPS: tuple[document.Drop, ...] = (
    ("advice on older transitions", _advice_of_older),
    ("antecedents of older transitions", _antecedents_of_older),
    ("antecedents beyond the nearest", _antecedents),
    ("long excerpts", _excerpts),
    ("older transitions", _older_half),
    ("older transitions", _older_half),
)

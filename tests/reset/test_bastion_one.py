"""One node on a screen: the claim, what is open, what came before, and the proof with what it rests on."""

import io
from typing import Any

from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_tree import LEAVES
from sparkctl.model.reset_words import Axis
from sparkctl.report.reset_one import folded, show_node
from tests.support.resets import document, encoded, observation, transition


def shown(*ends: dict[str, Any], verbose: bool = False, **parts: Any) -> str:
    stream = io.StringIO()
    envelope = ResetEnvelope.model_validate_json(encoded(document(*ends, **parts)))
    show_node("spark01", envelope, stream, verbose=verbose)
    return stream.getvalue()


XID = {"kind": "xid", "summary": "xid (3 times): Xid 119", "count": 3, "before_end_s": 42.0, "observations": ["o1"]}
STALE = {"kind": "unbound_record", "summary": "an old panic", "count": 1, "before_end_s": None, "observations": ["o2"]}


def test_the_whole_claim() -> None:
    end = transition(
        termination="disorderly.panic", expected="no", words="The kernel panicked", antecedents=[XID, STALE]
    )
    loose = observation(2, boot_id=None, source="pstore", locator="/var/lib/systemd/pstore/1")
    sources = [
        {"source": "journal", "state": "read", "detail": None},
        {"source": "pstore", "state": "partial", "detail": "one record is damaged"},
        {"source": "kdump", "state": "absent", "detail": "no dumps"},
    ]
    text = shown(end, observations=[observation(1), loose], sources=sources)
    in_order = [
        "spark01", "The kernel panicked", "nobody wanted it; last writes may be lost",
        "KERNEL_PANIC_OR_OOPS (vendor), SystemCrash (Redfish)",
        "termination", "disorderly.panic  S2, on a record", "open: disorderly.panic.panic_hang",
        "initiator", "any  S0, nothing is entailed", "no witness  nothing bears on it",
        "Seen before the end; that it led there is not said", "xid (3 times): Xid 119",
        "Seen, but of a boot that cannot be told", "an old panic",
        "Proof", "termination.panic/1", "systemd: Reached target 1", "journal, final target: journalctl -b 1",
        "Would have decided it", "Arm now", "read: journal", "pstore partial  one record is damaged",
        "kdump absent  no dumps",
    ]  # fmt: skip
    place = 0
    for words in in_order:
        assert words in text[place:], words
        place = text.index(words, place)
    assert "from:kernel_panic" not in text
    assert "cause" not in text, "what came before is never called a cause"


def test_older_ends_are_brief_unless_all_is_asked_for() -> None:
    ends = [transition(termination="orderly.reboot"), transition(-1, words="How it ended cannot be told")]
    assert shown(*ends).count("Would have decided") == 1
    assert "no witness  nothing bears on it" in shown(*ends)
    whole = shown(*ends, verbose=True)
    assert whole.count("Would have decided") == 2
    assert "looked for and not there: from:kernel_panic" in whole


def test_a_rule_that_says_less_is_shown_only_where_all_is_asked_for() -> None:
    end = transition(termination="disorderly.panic")
    weaker = {**end["proof"][0], "path": "disorderly", "rule": "termination.weaker/1"}
    end["proof"].append(weaker)
    assert "termination.weaker/1" not in shown(end)
    assert "1 more rule holds" in shown(end)
    assert "termination.weaker/1" in shown(end, verbose=True)


def test_what_bears_on_no_end_is_counted_unless_all_is_asked_for() -> None:
    updates = [{**STALE, "kind": "package_change", "summary": f"apt-get install {name}"} for name in ("one", "two")]
    parts: dict[str, Any] = {"observations": [observation(1), observation(2, boot_id=None)]}
    text = shown(transition(antecedents=updates), **parts)
    assert "package change (2); -v shows them" in text
    assert "apt-get" not in text
    assert "apt-get install two" in shown(transition(antecedents=updates), verbose=True, **parts)


def test_a_conflict_names_both_sides() -> None:
    end = transition()
    proofs = [transition(termination=path)["proof"][0] for path in ("orderly.reboot", "disorderly")]
    end["proof"] = proofs
    rules = ["termination.orderly_reboot/2", "termination.disorderly/1"]
    end["conflicts"] = [{"axis": "termination", "paths": ["orderly.reboot", "disorderly"], "rules": rules}]
    text = shown(end)
    assert "Conflicts: neither is asserted" in text
    assert "orderly.reboot against disorderly" in text
    assert all(rule in text for rule in rules)


def test_what_was_dropped_and_what_went_wrong_is_said() -> None:
    meta = {"truncated": True, "truncation": [{"part": "long excerpts", "dropped": 7}]}
    assert "left out to stay within the limit: 7 long excerpts" in shown(transition(), meta=meta)


def test_a_tree_and_a_simulation_are_called_so() -> None:
    assert "a saved tree" in shown(transition(), meta={"origin": "tree"})
    assert "SIMULATED" in shown(transition(), meta={"origin": "simulated"})


def test_open_leaves_in_few_words() -> None:
    every = list(LEAVES[Axis.TERMINATION])
    assert folded(Axis.TERMINATION, "any", every) == ["disorderly.*", "orderly.*"]
    disorderly = [leaf for leaf in every if leaf.startswith("disorderly.")]
    assert folded(Axis.TERMINATION, "disorderly", disorderly) == [
        "disorderly.forced", "disorderly.hang", "disorderly.panic.*", "disorderly.silent",
    ]  # fmt: skip
    fewer = [leaf for leaf in disorderly if leaf != "disorderly.panic.panic_kdump"]
    assert "disorderly.panic.panic_hang" in folded(Axis.TERMINATION, "disorderly", fewer)
    assert "disorderly.panic.*" not in folded(Axis.TERMINATION, "disorderly", fewer)

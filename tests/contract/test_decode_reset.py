"""A reset document is taken when its parts hold together: no claim without its proof, no proof without its evidence."""

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.contract.decode import Expected, decode_reset
from sparkctl.errors import ContractError
from sparkctl.model.reset_tree import contradictions
from sparkctl.model.vocabulary import Elevation, Origin
from tests.support.envelopes import PROGRAM, envelope
from tests.support.resets import boot, document, encoded, observation, transition

EXPECTED = Expected(262144, PROGRAM, Elevation.NONE, Origin.LIVE)
ALL = replace(EXPECTED, back=None)
Change = Callable[[dict[str, Any]], Any]


def decode(whole: dict[str, Any], expected: Expected = EXPECTED) -> None:
    decode_reset(encoded(whole), expected)


def three() -> dict[str, Any]:
    return document(
        transition(termination="disorderly.panic"),
        transition(-1, termination="orderly.reboot", initiator="os.operator", expected="yes"),
        transition(-2),
    )


def test_documents_that_hold_together() -> None:
    decode(document())
    decode(document(transition()))
    decode(document(transition(-3, termination="orderly")), replace(EXPECTED, back=3))
    decode(three(), ALL)
    twelve = [transition(-number, termination="orderly.reboot") for number in range(12)]
    decode(document(*twelve), ALL)


def test_nothing_is_known_where_a_boot_left_no_record() -> None:
    decode(document(transition(from_boot_id=None)))
    decode(document(transition(from_boot_id=None, to_boot_id=None)))


def test_a_claim_may_leave_open_less_than_its_whole_branch() -> None:
    panic = transition(termination="disorderly.panic")
    panic["open"]["termination"] = ["disorderly.panic.panic_hang"]
    decode(document(panic))


def test_a_rule_may_rest_on_the_claim_of_how_it_ended_and_on_nothing_else() -> None:
    one = transition(termination="orderly.reboot", reset_domain="platform_reset")
    one["proof"][1]["premises"] = []
    decode(document(one))
    one["proof"][0]["premises"] = []
    with pytest.raises(ContractError, match="rests on nothing"):
        decode(document(one))


def test_what_is_not_calibrated_holds_and_asserts_nothing() -> None:
    one = transition()
    held = transition(termination="orderly.reboot")["proof"][0]
    one["proof"] = [{**held, "strength": "S0"}]
    decode(document(one))


def test_a_panic_is_told_in_words_that_a_proof_of_it_rests_on() -> None:
    whole = document(transition(termination="disorderly.panic", initiator="os"))
    whole["data"]["observations"][0] |= {"kind": "kernel_panic", "value": "Fatal exception"}
    for proof in whole["data"]["transitions"][0]["proof"]:
        proof["absent"] = []
    flat = whole["data"]["transitions"][0]["flat"]
    asked = "a program on the node asked for it"
    for words in (f"The kernel panicked; {asked}", f"The kernel panicked: Fatal exception; {asked}"):
        flat["words"] = words
        decode(whole)
    for words in (
        "The kernel panicked",
        f"The kernel panicked: hung_task; {asked}",
        f"Restarted in good order; {asked}",
    ):
        flat["words"] = words
        with pytest.raises(ContractError, match="is not what its claims are in words"):
            decode(whole)


def test_a_conflict_is_claimed_by_nobody() -> None:
    decode(document(in_conflict()))


def in_conflict() -> dict[str, Any]:
    one = transition()
    orderly = transition(termination="orderly.reboot")["proof"][0]
    one["proof"] = [orderly, {**orderly, "path": "disorderly", "rule": "termination.disorderly/1"}]
    one["conflicts"] = [
        {
            "axis": "termination",
            "paths": ["orderly.reboot", "disorderly"],
            "rules": ["termination.orderly_reboot/3", "termination.disorderly/1"],
        }
    ]
    return one


def set_in(*path: str | int) -> Callable[[Any], Change]:
    """A change of one place of the data: `set_in("transitions", 0, "index")(-1)`."""

    def to(value: Any) -> Change:
        def change(whole: dict[str, Any]) -> None:
            place = whole["data"]
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value

        return change

    return to


def end(*path: str | int) -> Callable[[Any], Change]:
    return set_in("transitions", 0, *path)


def antecedent(*observations: str, before_end_s: float | None = 1.0) -> list[dict[str, Any]]:
    return [
        {"kind": "xid", "summary": "an Xid", "count": 1, "before_end_s": before_end_s, "observations": [*observations]}
    ]


LIES: dict[str, Change] = {
    "a claim that is no path of its axis": end("claims", "termination")("orderly.magic"),
    "a claim on the path of another axis": end("claims", "termination")("os.operator"),
    "nothing is open": end("open", "termination")([]),
    "a branch is open": end("open", "termination")(["orderly"]),
    "a leaf beside the claim is open": end("open", "termination")(["orderly.reboot", "orderly.halt"]),
    "a leaf is open twice": end("open", "termination")(["orderly.reboot", "orderly.reboot"]),
    "a claim with the strength of none": end("strength", "termination")("S0"),
    "no claim, yet with a strength": end("strength", "initiator")("S1"),
    "a claim that is stronger than its proof": end("strength", "termination")("S3"),
    "a claim without a proof": end("proof")([]),
    "a proof of something else": end("proof", 0, "path")("orderly.halt"),
    "a proof of another axis": end("proof", 0, "axis")("initiator"),
    "a proof by a rule of another axis": end("proof", 0, "rule")("initiator.forced/1"),
    "a proof by a rule that there is not": end("proof", 0, "rule")("termination.orderly_reboot/9"),
    "a proof by a rule that proves something else": end("proof", 0, "rule")("termination.panic/1"),
    "a proof of anything": end("proof", 0, "path")("any"),
    "a premise that is not there": end("proof", 0, "premises")(["o1", "o77"]),
    "a premise of another boot": set_in("observations", 0, "boot_id")(boot(9)),
    "a premise of no boot": set_in("observations", 0, "boot_id")(None),
    "a premise from a source that was not read": set_in("sources", 0, "state")("unread"),
    "a premise from a source that is proven absent": set_in("sources", 0, "state")("absent"),
    "a premise from a source that is not listed": set_in("sources")([]),
    "what must be absent is there": end("proof", 0, "absent")(["from:final_target"]),
    "no reason why it is not known": end("unknown_reasons")([]),
    "an antecedent that is not there": end("antecedents")(antecedent("o5")),
    "an antecedent of no boot, with its time before the end": lambda whole: (
        whole["data"]["observations"].append(observation(2, boot_id=None)),
        end("antecedents")(antecedent("o2"))(whole),
    ),
    "two observations with one id": lambda whole: whole["data"]["observations"].append(observation(1)),
    "a source twice": lambda whole: whole["data"]["sources"].append(
        {"source": "journal", "state": "unread", "detail": None}
    ),
    "a boot that ends into itself": end("from_boot_id")(boot(0)),
    "another boot than the running one": end("to_boot_id")(boot(7)),
    "witnesses of another boot": set_in("witnesses", "boot_id")(boot(7)),
    "another end than was asked for": end("index")(-1),
    "no end at all": set_in("transitions")([]),
    "words for another claim": end("flat", "words")("Powered off in good order"),
    "words of no claim's": end("flat", "words")("Restarted in good order, all is well"),
    "words that name who asked, which nothing claims": end("flat", "words")(
        "Restarted in good order; an operator asked for it"
    ),
    "words of a panic that nobody claims": end("flat", "words")("Restarted in good order: Fatal exception"),
    "data at risk after an orderly end": end("flat", "data_at_risk")("yes"),
    "a vendor's code that there is not": end("flat", "vendor_reason")("COSMIC_RAY"),
    "a vendor's code for something else": end("flat", "vendor_reason")("KERNEL_PANIC_OR_OOPS"),
    "a vendor's code that rests on another axis": end("flat", "vendor_reason")("POWER_LOSS_OR_HARD_RESET_SUSPECTED"),
    "a cause that Redfish has for something else": end("flat", "redfish_last_reset_cause")("PowerEvent"),
    "a cause that Redfish has not": end("flat", "redfish_last_reset_cause")("Gremlins"),
}


@pytest.mark.parametrize("change", LIES.values(), ids=LIES)
def test_lies_that_can_be_seen(change: Change) -> None:
    whole = document()
    change(whole)
    with pytest.raises(ContractError) as caught:
        decode(whole)
    assert caught.value.cause == "incomplete"


def test_few_words_hold_for_all_that_is_open() -> None:
    whole = document(transition(termination="orderly.reboot", initiator="os"))
    decode(whole)
    whole["data"]["transitions"][0]["flat"]["expected"] = "yes"
    with pytest.raises(ContractError, match="does not hold for all that is open"):
        decode(whole)


def test_what_nobody_wanted_was_not_planned() -> None:
    heat = transition(termination="orderly.reboot", initiator="os.kernel_policy.thermal", expected="no")
    with pytest.raises(ContractError, match="PLANNED_REBOOT is said of an end that nobody wanted"):
        decode(document(heat))
    heat["flat"]["vendor_reason"] = "UNKNOWN"
    decode(document(heat))


def test_data_is_safe_only_where_the_root_was_found_clean_and_no_service_was_killed() -> None:
    whole = document(transition(termination="orderly.reboot"))
    flat = whole["data"]["transitions"][0]["flat"]
    flat["data_at_risk"] = "no"
    with pytest.raises(ContractError, match="whether data is at risk"):
        decode(whole)
    whole["data"]["observations"][0]["kind"] = "root_clean"
    decode(whole)
    whole["data"]["transitions"][0]["antecedents"] = [
        {"kind": "stop_timeout", "summary": "x", "count": 1, "before_end_s": None, "observations": ["o1"]}
    ]
    with pytest.raises(ContractError, match="whether data is at risk"):
        decode(whole)


UNTOLD_LIES: dict[str, Change] = {
    "it was wanted, though nothing is known": end("flat", "expected")("yes"),
    "nobody wanted it, though nothing is known": end("flat", "expected")("no"),
    "no data is at risk, though nothing is known": end("flat", "data_at_risk")("no"),
    "a reason for other programs, though nothing is known": end("flat", "vendor_reason")("PLANNED_REBOOT"),
    "a proof that is not claimed": end("proof")(transition(termination="orderly.reboot")["proof"]),
}


@pytest.mark.parametrize("change", UNTOLD_LIES.values(), ids=UNTOLD_LIES)
def test_lies_where_nothing_is_claimed(change: Change) -> None:
    whole = document(transition())
    change(whole)
    with pytest.raises(ContractError) as caught:
        decode(whole)
    assert caught.value.cause == "incomplete"


CONFLICT_LIES: dict[str, Change] = {
    "paths that agree": end("conflicts", 0, "paths")(["disorderly", "disorderly"]),
    "paths that nobody proves": end("conflicts", 0, "paths")(["orderly.halt", "disorderly"]),
    "one rule with itself": end("conflicts", 0, "rules")(
        ["termination.orderly_reboot/3", "termination.orderly_reboot/3"]
    ),
    "a rule that asserts nothing": end("proof", 0, "strength")("S0"),
    "rules that are not among the proofs": end("conflicts", 0, "rules")(
        ["termination.orderly_reboot/3", "termination.no/1"]
    ),
}


@pytest.mark.parametrize("change", CONFLICT_LIES.values(), ids=CONFLICT_LIES)
def test_lies_in_a_conflict(change: Change) -> None:
    whole = document(in_conflict())
    change(whole)
    with pytest.raises(ContractError) as caught:
        decode(whole)
    assert caught.value.cause == "incomplete"


def test_a_claim_in_spite_of_a_conflict() -> None:
    one = transition(termination="orderly.reboot")
    one["proof"] = in_conflict()["proof"]
    one["conflicts"] = in_conflict()["conflicts"]
    with pytest.raises(ContractError, match="in spite of a conflict"):
        decode(document(one))


@pytest.mark.parametrize(
    "change",
    [
        lambda ends: ends.reverse(),
        lambda ends: ends.pop(1),
        lambda ends: ends[1].update(to_boot_id=boot(8)),
        lambda ends: ends[2].update(from_boot_id=boot(1)),
        lambda ends: ends.extend(transition(-number) for number in range(3, 13)),
    ],
    ids=["oldest first", "one is missing", "a broken chain", "a boot ends twice", "more than a node looks back"],
)
def test_the_order_of_boots(change: Change) -> None:
    whole = three()
    change(whole["data"]["transitions"])
    with pytest.raises(ContractError) as caught:
        decode(whole, ALL)
    assert caught.value.cause == "incomplete"


def test_of_all_no_fewer_than_all_are_taken_for_one_and_the_other_way_round() -> None:
    with pytest.raises(ContractError, match="asked for"):
        decode(three())
    with pytest.raises(ContractError, match="asked for"):
        decode(document(), replace(EXPECTED, back=2))


@pytest.mark.parametrize(
    "change",
    [
        end("flat", "words")("red \x1b[31malert"),
        end("claims", "termination")("Orderly; DROP"),
        end("window", "gap_s")("soon"),
        end("index")(1),
        end("proof", 0, "rule")("no rule"),
        set_in("colour")("green"),
        end("flat", "words")("x" * 1001),
        set_in("observations")([observation(1)] * 401),
    ],
)
def test_what_is_not_of_the_schema(change: Change) -> None:
    whole = copy.deepcopy(document())
    change(whole)
    with pytest.raises(ContractError) as caught:
        decode(whole)
    assert caught.value.cause == "schema_violation"


def test_another_program() -> None:
    for changed in (
        {"program_sha256": "b" * 64},
        {"origin": "tree"},
        {"elevation": "root"},
        {"schema": "sparkctl.x/1"},
    ):
        whole = document()
        whole["meta"].update(changed)
        with pytest.raises(ContractError) as caught:
            decode(whole)
        assert caught.value.cause == "wrong_program"
    with pytest.raises(ContractError) as caught:
        decode_reset(encoded(envelope()), EXPECTED)
    assert caught.value.cause == "schema_violation"


def test_a_boot_id_of_the_envelope_that_is_none_is_not_compared() -> None:
    whole = document()
    whole["meta"]["node"]["boot_id"] = "aa11"
    decode(whole)


def places(part: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


def at(whole: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        whole = whole[step]
    return whole


WHOLE = document(in_conflict(), transition(-1, termination="disorderly.panic"), transition(-2))
PLACES = [path for path in places(WHOLE) if path]


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_whatever_stands_where_it_should_not_is_refused_in_words(moves: list[tuple[Any, Any]]) -> None:
    whole = copy.deepcopy(WHOLE)
    for target, source in moves:
        try:
            at(whole, target[:-1])[target[-1]] = copy.deepcopy(at(WHOLE, source))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier move took the place away
    with suppress(ContractError):
        data = decode_reset(encoded(whole), ALL).data
        assert data is not None
        assert list(contradictions(data, back=None, running=boot(0))) == []

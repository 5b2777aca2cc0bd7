"""The rules: what each needs, what stops it, and that together they never say more than they can."""

from itertools import combinations
from pathlib import Path

import pytest

from diag.reset.correlate import ANY, LEAVES, correlate, is_under
from diag.reset.messages import ALARMS, BEGINNING, CAUSES, ENDING
from diag.reset.rules import END, HEAD, RECORDS, ROOT, RULES, TAIL, WTMP, Rule
from diag.reset.tables import PROVES
from diag.reset.words import Axis
from tests.reset.answers import answer
from tests.reset.evidence_of import EVERYWHERE, window
from tests.reset.trees import build_machine

OTHER_KINDS = {
    "from:panic_record", "from:crash_dump", "from:wtmp_shutdown", "from:wtmp_no_shutdown", "to:crash_kernel",
}  # fmt: skip
KINDS = (
    {f"from:{one.kind}" for one in (*ENDING, *ALARMS, *CAUSES)} | {f"to:{one.kind}" for one in BEGINNING} | OTHER_KINDS
)
ORDERLY = ("from:target_reboot", "from:journal_stopped", "from:logind_verb", "from:verb_reboot")
CUT_OFF = ("to:journal_unclean", "to:root_recovered", "from:wtmp_no_shutdown")


def claim(axis: str, *tokens: str, covered: frozenset[str] = EVERYWHERE) -> str:
    return correlate(window(*tokens, covered=covered))[axis].claim


def rule_ids() -> list[str]:
    return [rule.rule_id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=rule_ids())
def test_a_rule_names_paths_and_kinds_that_exist(rule: Rule) -> None:
    assert any(is_under(leaf, rule.path) for leaf in LEAVES[rule.axis])
    tokens = {token for group in rule.required for token in group} | set(rule.forbidden) | set(rule.corroborating)
    assert {token for token in tokens if not token.startswith("claim:")} <= KINDS
    assert rule.validity


def test_no_two_rules_have_one_name() -> None:
    assert len(set(rule_ids())) == len(RULES)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.forbidden], ids=lambda rule: rule.rule_id)
def test_what_a_rule_forbids_in_the_journal_is_looked_for_there(rule: Rule) -> None:
    """Else evidence that is taken away could turn one claim into another. A record of a panic cannot be looked for."""
    panics = {"from:panic_record", "from:crash_dump", "from:kernel_panic", "from:fatal_words"}
    if {token for token in rule.forbidden if token.startswith("from:")} - panics:
        assert {TAIL, END} & set(rule.coverage)
    if "to:hibernate_image" in rule.forbidden:
        assert HEAD in rule.coverage
    if "to:crash_kernel" in rule.forbidden:
        assert ("to:command_line",) in rule.required


@pytest.mark.parametrize(
    ("target", "path"),
    [("reboot", "orderly.reboot"), ("poweroff", "orderly.poweroff"), ("halt", "orderly.halt"), ("kexec", "orderly")],
)
def test_an_orderly_end_is_told_by_its_verb(target: str, path: str) -> None:
    assert claim(Axis.TERMINATION, f"from:target_{target}", "from:journal_stopped") == path


@pytest.mark.parametrize(
    "contrary", ["from:panic_record", "from:kernel_panic", "to:root_recovered", "from:hibernating", "from:target_halt"]
)
def test_an_orderly_end_is_not_told_against_contrary_evidence(contrary: str) -> None:
    assert not claim(Axis.TERMINATION, *ORDERLY, contrary).startswith("orderly")


def test_a_target_alone_is_no_orderly_end() -> None:
    assert claim(Axis.TERMINATION, "from:target_reboot", "from:init_ends") == ANY


def test_a_cut_off_machine_is_told_by_its_root_and_a_second_witness() -> None:
    """A root file system that was made read-only leaves an open journal and no shutdown in wtmp, however it ended."""
    assert claim(Axis.TERMINATION, "to:root_recovered", "from:wtmp_no_shutdown") == "disorderly"
    assert claim(Axis.TERMINATION, "to:journal_unclean", "to:root_recovered") == "disorderly"
    assert claim(Axis.TERMINATION, "to:journal_unclean", "from:wtmp_no_shutdown") == ANY
    assert claim(Axis.TERMINATION, "to:root_recovered") == ANY
    assert claim(Axis.TERMINATION, "to:journal_unclean") == ANY
    assert claim(Axis.TERMINATION, "from:wtmp_no_shutdown") == ANY


@pytest.mark.parametrize(
    "contrary",
    [
        "from:final_target",
        "from:target_reboot",
        "from:read_only",
        "to:root_errors",
        "to:hibernate_image",
        "from:init_ends",
    ],
)
def test_a_cut_off_machine_is_not_told_against_contrary_evidence(contrary: str) -> None:
    assert claim(Axis.TERMINATION, *CUT_OFF, contrary) != "disorderly"


def test_an_orderly_end_needs_the_state_of_the_root_to_be_known() -> None:
    assert claim(Axis.TERMINATION, *ORDERLY, covered=EVERYWHERE - {ROOT}) == ANY


def test_a_shutdown_that_was_cut_off_is_told_by_root_and_journal_alone() -> None:
    begun = ("from:logind_verb", "from:targets_stopped", "to:journal_unclean")
    assert claim(Axis.TERMINATION, *begun, "to:root_recovered") == "disorderly"
    assert claim(Axis.TERMINATION, *begun, "to:root_recovered", "from:target_reboot") == ANY
    assert claim(Axis.TERMINATION, *begun) == ANY


@pytest.mark.parametrize(
    ("missing", "cut_off", "orderly", "initiator"),
    [(TAIL, ANY, "orderly.reboot", ANY), (END, "disorderly", ANY, ANY), (HEAD, ANY, ANY, ANY)],
)
def test_nothing_is_taken_for_absent_where_nobody_looked(
    missing: str, cut_off: str, orderly: str, initiator: str
) -> None:
    """The end that an orderly shutdown needs lies within the tail: no window lacks the one and has the other."""
    covered = EVERYWHERE - {missing}
    assert claim(Axis.TERMINATION, *CUT_OFF, covered=covered) == cut_off
    assert claim(Axis.TERMINATION, *ORDERLY, covered=covered) == orderly
    assert claim(Axis.INITIATOR, *ORDERLY, covered=covered) == initiator


def test_a_forced_restart_needs_wtmp_to_be_told() -> None:
    forced = ("from:init_ends", "from:last_init", "from:journal_stopped")
    assert claim(Axis.TERMINATION, *forced) == "disorderly.forced"
    assert claim(Axis.TERMINATION, *forced, covered=EVERYWHERE - {WTMP}) == ANY
    assert claim(Axis.TERMINATION, *forced, "from:wtmp_shutdown") == ANY
    assert claim(Axis.TERMINATION, *forced, "to:root_recovered") == ANY


def test_a_panic_is_told_by_its_record_alone() -> None:
    verdict = correlate(window("from:panic_record", covered=frozenset()))[Axis.TERMINATION]
    assert (verdict.claim, verdict.strength) == ("disorderly.panic", "S2")


def test_a_second_source_makes_a_claim_strong() -> None:
    found = window("from:panic_record", "to:journal_unclean", sources={"from:panic_record": "pstore"})
    assert correlate(found)[Axis.TERMINATION].strength == "S3"


def test_an_orderly_end_is_strong_by_the_root_and_not_by_what_the_same_shutdown_entered_in_wtmp() -> None:
    sources = {"from:wtmp_shutdown": "wtmp", "to:root_clean": "file_system"}
    for beside, strength in ((["from:wtmp_shutdown"], "S1"), (["to:root_clean"], "S3"), ([*sources], "S3")):
        found = correlate(window(*ORDERLY, *beside, sources=sources))[Axis.TERMINATION]
        assert (found.claim, found.strength) == ("orderly.reboot", strength)


def test_an_orderly_end_is_strong_only_where_a_panic_would_have_left_a_record() -> None:
    tokens, sources = (*ORDERLY, "to:root_clean"), {"to:root_clean": "file_system"}
    found = correlate(window(*tokens, sources=sources, covered=EVERYWHERE - {RECORDS}))[Axis.TERMINATION]
    assert (found.claim, found.strength) == ("orderly.reboot", "S2")


def test_what_rests_on_another_claim_is_no_stronger_than_that() -> None:
    found = correlate(window(*ORDERLY))
    assert {axis: found[axis].strength for axis in found} == dict.fromkeys(found, "S1")


def test_an_earlier_orderly_end_whose_root_nobody_can_check_any_more_is_weak(tmp_path: Path) -> None:
    """The initramfs keeps what it found of the root for the running boot only; one had to be recovered here."""
    ends = answer(build_machine(tmp_path / "tree", ["reboot", "panic", "not_unmounted", "reboot"]))["transitions"]
    told = [(end["claims"]["termination"], end["strength"]["termination"], end["flat"]["data_at_risk"]) for end in ends]
    assert told == [
        ("orderly.reboot", "S3", "no"), ("orderly.reboot", "S1", "unknown"),
        ("disorderly.panic", "S3", "yes"), ("orderly.reboot", "S2", "no"),
    ]  # fmt: skip
    assert ends[1]["strength"]["initiator"] == "S1"


def test_the_kernel_after_a_panic_is_no_crash_kernel_or_the_firmware_is_not_told() -> None:
    assert claim(Axis.RESET_DOMAIN, "from:panic_record", "to:command_line") == "platform_reset"
    assert claim(Axis.RESET_DOMAIN, "from:panic_record", "to:command_line", "to:crash_kernel") == ANY
    assert claim(Axis.RESET_DOMAIN, "from:panic_record") == ANY


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ((), "os"),
        (("from:power_key", "from:key_reboot"), "human_physical"),
        (("from:power_key", "from:key_poweroff"), ANY),
        (("from:power_key",), ANY),
        (("from:other_key",), ANY),
        (("from:thermal_critical", "from:heat_reboot"), "os.kernel_policy.thermal"),
        (("from:thermal_critical", "from:heat_poweroff"), ANY),
        (("from:thermal_critical",), ANY),
        (("from:ups",), ANY),
        (("from:ctrl_alt_del",), ANY),
    ],
)
def test_who_asked_for_an_orderly_end(more: tuple[str, ...], path: str) -> None:
    """What was announced and what was done must be the same, a restart here."""
    assert claim(Axis.INITIATOR, *ORDERLY, *more) == path


@pytest.mark.parametrize("verb", ["reboot", "poweroff"])
@pytest.mark.parametrize("panic", ["from:panic_record", "from:crash_dump", "from:kernel_panic", "from:fatal_words"])
def test_heat_sets_off_no_end_that_was_a_panic(verb: str, panic: str) -> None:
    seen = (f"from:heat_{verb}", f"from:verb_{verb}", f"from:target_{verb}", "from:thermal_critical")
    assert claim(Axis.INITIATOR, *seen) == "os.kernel_policy.thermal"
    assert claim(Axis.INITIATOR, *seen, panic) == ANY


@pytest.mark.parametrize("announced", ["key", "heat"])
def test_a_shutdown_of_another_kind_was_not_set_off_by_what_was_announced(announced: str) -> None:
    beside = "from:power_key" if announced == "key" else "from:thermal_critical"
    seen = (beside, f"from:{announced}_poweroff", "from:verb_poweroff", "from:logind_verb")
    assert claim(Axis.INITIATOR, *seen) != ANY
    assert claim(Axis.INITIATOR, *seen, "from:verb_reboot") == ANY


def test_claims_that_cannot_both_be_true_are_both_shown_and_neither_is_made() -> None:
    found = correlate(window("from:heat_reboot", "from:verb_reboot", "to:reset_by_watchdog"))[Axis.INITIATOR]
    assert found.claim == ANY
    assert {held.rule.path for held in found.conflict} == {"os.kernel_policy.thermal", "hardware.watchdog"}
    assert found.open == LEAVES[Axis.INITIATOR]


def test_an_uncalibrated_rule_holds_and_asserts_nothing() -> None:
    verdict = correlate(window(*ORDERLY, "from:operator_command"))[Axis.INITIATOR]
    held = {one.rule.rule_id: one.strength for one in verdict.held}
    assert held["initiator.operator/1"] == "S0"
    assert verdict.claim == "os"


def test_open_is_every_leaf_under_the_claim() -> None:
    verdict = correlate(window(*CUT_OFF))[Axis.TERMINATION]
    assert verdict.open == tuple(leaf for leaf in LEAVES[Axis.TERMINATION] if leaf.startswith("disorderly."))


def test_whatever_is_seen_no_rule_says_orderly_and_disorderly_at_once() -> None:
    """Over all pairs and triples of what bears on how a boot ended: at most one side is claimed, or none."""
    kinds = sorted(
        {token for rule in RULES if rule.axis == Axis.TERMINATION for group in rule.required for token in group}
    )
    for size in (1, 2, 3):
        for tokens in combinations(kinds, size):
            verdict = correlate(window(*tokens))[Axis.TERMINATION]
            paths = {held.rule.path.split(".")[0] for held in verdict.held if held.rule.calibrated}
            assert len(paths) <= 1 or verdict.claim == ANY, tokens


def test_every_rule_that_the_bastion_knows_is_there_and_no_other() -> None:
    assert rule_ids() == list(PROVES)

"""The rules file: what it may say, and that everything wrong with it is told at once, with its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.app.alert_desk import Desk, check_rules
from sparkctl.app.alert_rules_file import examine_rules, read_rules, rules_file
from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.model.alert_rules import HOLDS, AlertRules, Flapping, Hold, HoldRule
from sparkctl.model.facets.paths import from_text

WHOLE = """\
version: 1
hold:
  warn: {visits: 3}
  "gpu.*": {visits: 2, after: 30m, recovery_visits: 2, recovery_after: 1h}
  refused: {after: 5m}
flapping: {above: 6, calm_below: 2, half_life: 3h}
roll_up: {nodes: 5, window: 6h}
watch: [drivers.nvidia.version, firmware.nics.*.version]
ignore: [disk.space]
windows:
  patching: {selector: [rack=a1, n1], at: ["02:00", "14:00"], days: sun, for: 90m, reason: the monthly update}
"""


def complaints(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "alerts.yaml"
    path.write_text(text)
    rules, problems = examine_rules(path)
    assert (rules is None) == bool(problems)
    return [problem.sentence.removeprefix(f"{path}:") for problem in problems]


def test_all_that_a_file_may_say(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(WHOLE)
    rules = read_rules(path)
    assert rules.holds == (
        HoldRule("warn", Hold(3)),
        HoldRule("gpu.*", Hold(2, 1800), Hold(2, 3600)),
        HoldRule("refused", Hold(None, 300)),
        *HOLDS[1:],
    )
    assert rules.flapping == Flapping(6, 2, 3 * 3600)
    assert (rules.roll_up_nodes, rules.roll_up_window_s) == (5, 6 * 3600)
    assert rules.watches(from_text("firmware.nics[0000:01:00.0].version"))
    assert rules.watches(from_text("firmware.nics[0000:01:00.0]"))  # all of it came or went
    assert not rules.watches(from_text("os.kernel.running"))
    assert rules.ignores("disk.space")
    (window,) = rules.windows
    sunday = datetime(2026, 11, 29, 3, 29, tzinfo=UTC)
    assert window.selector == "rack=a1,n1"
    assert window.at(sunday) == (datetime(2026, 11, 29, 2, tzinfo=UTC), datetime(2026, 11, 29, 3, 30, tzinfo=UTC))
    assert window.at(sunday + timedelta(minutes=1)) is None
    assert window.at(sunday + timedelta(days=1)) is None


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert rules_file(None, {}, tmp_path / "fleet.yaml") is None
    assert read_rules(None) == AlertRules()
    (tmp_path / "alerts.yaml").write_text("version: 1\n")
    assert read_rules(rules_file(None, {}, tmp_path / "fleet.yaml")) == AlertRules()
    assert rules_file(None, {"SPARKCTL_ALERTS": "/else.yaml"}, tmp_path / "fleet.yaml") == Path("/else.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["1: this must be a mapping of rules"]),
        ("hold: {}\n", ["1: `version` is missing", "1: hold: `hold` must be a mapping with at least one entry"]),
        ("version: 1\nholds: {}\n", ["2: holds: unknown key 'holds'"]),
        ("version: 1\nversion: 1\n", ["2: version: the key version is already on line 1"]),
        ("version: 1\nhold: {wran: {visits: 1}}\n", ["2: hold.wran: this is neither a pattern of checks"]),
        ("version: 1\nhold: {warn: 2}\n", ["2: hold.warn: this must be a mapping"]),
        ("version: 1\nhold: {warn: {visits: 0}}\n", ["2: hold.warn.visits: must be a whole number from 1 to 1,000"]),
        ("version: 1\nhold: {warn: {after: soon}}\n", ["2: hold.warn.after: must be a duration"]),
        ("version: 1\nflapping: {above: 2, calm_below: 2}\n", ["2: flapping.calm_below: must be less than `above`"]),
        ("version: 1\nflapping: {half_life: 0s}\n", ["2: flapping.half_life: must be longer than nothing"]),
        ("version: 1\nroll_up: {nodes: 1}\n", ["2: roll_up.nodes: must be a whole number from 2"]),
        ("version: 1\nwatch: [drivers.nvidia.wersion]\n", ["2: watch: must be a field of a facet: there is no field"]),
        ("version: 1\nwatch: ['drivers..']\n", ["2: watch: "]),
        ("version: 1\nwindows: {w: {for: 8d, at: '25:00'}}\n",
         ["2: windows.w.at: must be a time of the UTC day", "2: windows.w: `reason` is missing",
          "2: windows.w: `selector` is missing", "2: windows.w.for: must be from 1m to 7d"]),
    ],
)  # fmt: skip
def test_everything_wrong_is_told_with_its_place(text: str, said: list[str], tmp_path: Path) -> None:
    found = complaints(tmp_path, text)
    assert len(found) == len(said), found
    for expected in said:
        assert any(one.startswith(expected) for one in found), (expected, found)


def test_a_run_names_the_first_fault_and_how_many_more(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("version: 2\nholds: {}\n")
    with pytest.raises(UsageError, match=r"alerts.yaml:1: version: must be 1") as caught:
        read_rules(path)
    assert "`sparkctl alerts check` lists 1 more." in (caught.value.hint or "")


def test_names_that_nothing_has_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes: [n1]\n")
    (tmp_path / "alerts.yaml").write_text(
        "version: 1\nhold: {gpu.nothing: {visits: 2}, 'disk.*': {visits: 2}}\nignore: [disc.space]\n"
        "windows: {w: {selector: rack=a1, at: '02:00', for: 2h, reason: patching}}\n"
    )
    found = check_rules(Desk(Places(tmp_path / "fleet.yaml", tmp_path / "state", {}), None))
    assert [problem.key for problem in found] == ["windows.w.selector", "hold.gpu.nothing", "ignore.disc.space"]
    assert {problem.severity.value for problem in found} == {"warning"}


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=80) | st.sampled_from(WHOLE.splitlines()).map(lambda line: f"version: 1\n{line}\n"))
def test_nonsense_is_a_complaint_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "nonsense.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    rules, problems = examine_rules(path)
    assert (rules is not None) != bool(problems)


def test_a_file_that_is_there_and_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").symlink_to("gone")
    found = rules_file(None, {}, tmp_path / "fleet.yaml")
    assert found == tmp_path / "alerts.yaml"
    with pytest.raises(UsageError, match=r"alerts\.yaml"):
        read_rules(found)

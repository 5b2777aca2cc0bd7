"""Playbooks and the rules of a site as operators write them, and what is said of each mistake."""

from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app.playbook_file import examine_playbook
from sparkctl.app.playbook_plan import parameter_values
from sparkctl.app.playbook_shelf import playbook_files, playbook_named
from sparkctl.app.playbook_site import Site, examine_site, read_site, site_file
from sparkctl.app.playbook_values import require_values
from sparkctl.errors import UsageError
from sparkctl.model.playbook import Playbook, Risk, with_parameters
from sparkctl.resources import shipped

GOOD = """\
version: 1
title: Do it
risk: disruptive
parameters:
  names: {kind: words, help: Which}
waves: {sizes: [1, 50%], soak: 5m, control: 1}
budget: {wave: 1, total: 2}
on_failure: rollback
steps:
  - {id: second, do: control.reboot, within: 10m, needs: [first]}
  - {id: first, do: judge, within: 1m, options: {fail_on: warn}}
"""


def written(tmp_path: Path, text: str, phase: str = "maintenance", name: str = "ours.yaml") -> Path:
    path = tmp_path / phase / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def read(tmp_path: Path, text: str) -> Playbook:
    found, problems = examine_playbook(written(tmp_path, text))
    assert found is not None, problems
    return found


def sentences(tmp_path: Path, text: str, **how: str) -> str:
    found, problems = examine_playbook(written(tmp_path, text, **how))
    assert found is None
    return "\n".join(f"{one.sentence} {one.action}" for one in problems)


def test_what_a_good_one_says(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert found.name == "maintenance/ours"
    assert [step.id for step in found.steps] == ["first", "second"]
    assert found.windowed
    assert (found.waves.sizes, found.waves.soak_s, found.budget.total) == (["1", "50%"], 300, 2)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("needs: [first]", "needs: [frist]", "there is no step 'frist' Did you mean first?"),
        ("within: 1m,", "within: 1m, needs: [second],", "steps wait for each other: "),
        ("sizes: [1, 50%]", "sizes: [0]", "more than nothing"),
        ("sizes: [1, 50%]", "sizes: []", "a wave must have a size"),
        ("sizes: [1, 50%], ", "", "`sizes` is missing"),
        ("control.reboot", "control.rebot", "did you mean control.reboot?"),
        ("do: judge", "do: jugde", "did you mean judge?"),
        ("fail_on: warn", "fail_on: pass", "`fail_on` must be fail or warn"),
        ("fail_on: warn", "failon: warn", "has no option failon"),
        ("risk: disruptive", "risk: low", "must be one of read-only, reversible"),
        ("risk: disruptive\n", "", "`risk` is missing"),
        ("id: first", "id: second", "there are two steps 'second'"),
        ("within: 1m", "within: 0s", "must be longer than nothing"),
        ("within: 1m, ", "", "`within` is missing"),
        ("do: judge,", "do: judge, undo: true,", "only what a controller did can be taken back"),
        ("{fail_on: warn}", "{ignore: $nobody}", "there is no parameter 'nobody'"),
        ("title: Do it", "titel: Do it", "unknown key 'titel'"),
        ("kind: words", "kind: wrods", "must be one of word, number, words, mapping"),
        ("version: 1", "version: 2", "must be 1"),
        ("on_failure: rollback", "on_failure: panic", "must be one of hold, rollback, stop-new"),
        (
            "do: judge, within: 1m, options: {fail_on: warn}",
            "do: sparkctl, within: 1m, options: {command: [lab, down]}",
            "a step may not run `sparkctl lab down`",
        ),
        ("within: 1m", "within: 8d", "must be at most 7d"),
        ("sizes: [1, 50%]", f"sizes: [{', '.join('1' * 51)}]", "there must be at most 50 sizes"),
        ("{fail_on: warn}", "{ignore: 5}", "`ignore` must be a list of patterns"),
        ("{fail_on: warn}", "{ignore: [5]}", "`ignore` must be a list of patterns"),
        ("{fail_on: warn}", '{"": 5}', "has no option"),
        *(
            (
                "do: judge, within: 1m, options: {fail_on: warn}",
                f"do: {verb}, within: 1m, options: {{{options}}}",
                words,
            )
            for verb, options, words in (
                ("sparkctl", "command: [collect], accepts: 5", "`accepts` must be a list"),
                ("sparkctl", "command: [collect], accepts: null", "`accepts` must be a list"),
                ("sparkctl", 'command: [collect, "\\e[2J"]', "each one printable line"),
                ("control.reboot", '"": 5', "'' is no name of an option"),
                ("control.reboot", f"{'k' * 121}: 5", "is no name of an option"),
                ("ask", 'question: "one\\ntwo"', "`question` must be one printable line"),
                ("ask", f"question: {'q' * 1001}", "`question` must be one printable line"),
                ("move", "to: in_service, reason: [so]", "`reason` must be one printable line"),
                ("move", "to: in_service, reason: so, evidence: {plan: [a]}", "`evidence` must be a mapping"),
                ("wait", "seconds: true", "`seconds` must be a number"),
            )
        ),
    ],
)
def test_every_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    said = sentences(tmp_path, GOOD.replace(old, new))
    assert words in said
    assert "ours.yaml:" in said


@pytest.mark.parametrize(
    "text", ["", "[]", "steps: 3", "\x00", "a: &a [*a]", "version: 1\nversion: 1", "- 1", "steps: [3, {}]"]
)
def test_nonsense_is_refused(tmp_path: Path, text: str) -> None:
    assert sentences(tmp_path, text)


def test_a_file_outside_of_a_phase_is_no_playbook(tmp_path: Path) -> None:
    assert "the folder 'odd' is no phase" in sentences(tmp_path, GOOD, phase="odd")
    assert "is no name of a playbook" in sentences(tmp_path, GOOD, name="Ours.yaml")


def test_all_of_ours_are_good_and_have_a_runbook() -> None:
    files = playbook_files(Site())
    for name, path in files.items():
        found, problems = examine_playbook(path)
        assert problems == [], name
        assert found is not None
        assert found.runbook.strip(), f"{name} has no text for people"
    assert {path.parent.parent for path in files.values()} == {shipped("playbooks")}


def test_a_playbook_of_the_site_stands_before_ours(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("Do it", "Our way"), name="reboot.yaml")
    site = Site(folder=tmp_path)
    assert playbook_named("reboot", site).title == "Our way"
    assert playbook_named("maintenance/reboot", Site()).title != "Our way"
    with pytest.raises(UsageError, match="there is no playbook 'rebot'"):
        playbook_named("rebot", site)


def test_values_of_parameters_are_held_to_their_kinds(tmp_path: Path) -> None:
    text = GOOD.replace(
        "  names: {kind: words, help: Which}\n",
        "  names: {kind: words, help: Which, required: true}\n  size: {kind: number, help: How much, default: 3}\n"
        "  versions: {kind: mapping, help: Of what}\n",
    )
    found = read(tmp_path, text)
    values = parameter_values(found, {"names": "a, b", "versions": "x=1,y=2:3"})
    assert values == {"names": ["a", "b"], "size": 3, "versions": {"x": "1", "y": "2:3"}}
    for said, words in (
        ({}, "needs the parameter 'names'"),
        ({"names": "a", "size": "much"}, "must be a whole number"),
        ({"names": "a", "versions": "x"}, "must be pairs"),
        ({"names": "a", "nmes": "b"}, "has no parameter 'nmes'"),
        ({"names": "a\x1b[31m"}, "printable"),
    ):
        with pytest.raises(UsageError, match=words):
            parameter_values(found, said)


@pytest.mark.parametrize(
    ("parameter", "step", "said", "words"),
    [
        ("{kind: word, help: x}", "sparkctl, options: {command: [collect, $it]}", {}, "'it' must be one word"),
        ("{kind: words, help: x}", "sparkctl, options: {command: [collect, $it]}", {"it": "a,b"}, "must be one word"),
        ("{kind: word, help: x}", "sparkctl, options: {command: [collect, $it]}", {"it": "--x"}, "must not begin with"),
        ("{kind: word, help: x}", "ask, options: {question: $it}", {}, "'it' needs a value"),
        ("{kind: word, help: x}", "ask, options: {question: $it}", {"it": "q" * 1001}, "`question` must be"),
        ("{kind: word, help: x}", "move, options: {to: in_service, reason: $it}", {"it": "r" * 801}, "`reason` must"),
        ("{kind: number, help: x}", "judge, options: {ignore: $it}", {"it": "5"}, "`ignore` must be a list"),
    ],
)
def test_a_value_that_its_step_cannot_take_is_told_before_any_node_is_asked(
    tmp_path: Path, parameter: str, step: str, said: dict[str, str], words: str
) -> None:
    text = GOOD.replace("{kind: words, help: Which}", f"{{kind: words, help: Which}}\n  it: {parameter}")
    text = text.replace("do: judge, within: 1m, options: {fail_on: warn}", f"within: 1m, do: {step}")
    found = read(tmp_path, text)
    with pytest.raises(UsageError, match=f"step first: .*{words}"):
        require_values(found, parameter_values(found, said))


def test_parameters_stand_in_for_whole_values_only() -> None:
    options = {"command": ["node", "move", "$node", "x$node"], "gone": "$none"}
    assert with_parameters(options, {"node": "n1", "none": None}) == {"command": ["node", "move", "n1", "x$node"]}


SITE = """\
version: 1
allowed_signers: signers
approvals: {disruptive: 2}
valid_for: 12h
windows:
  nights: {at: 22:00, days: [mon, tue], for: 6h}
freezes:
  move: {from: 2026-12-20T00:00Z, until: 2027-01-04T00:00+01:00, reason: the cage moves}
"""


@pytest.fixture
def site_path(tmp_path: Path) -> Path:
    (tmp_path / "signers").write_text("")
    path = tmp_path / "playbooks.yaml"
    path.write_text(SITE)
    return path


def test_the_rules_of_a_site(site_path: Path) -> None:
    site = read_site(site_path)
    assert site.approvals[Risk.DISRUPTIVE] == 2
    assert site.approvals[Risk.DESTRUCTIVE] == 2
    assert site.valid_for == timedelta(hours=12)
    assert [window.length for window in site.calendar.windows] == [timedelta(hours=6)]
    assert site.calendar.freezes[0].ends.hour == 23


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("disruptive: 2", "destructive: 1", "must be at least 2"),
        ("disruptive: 2", "disruptive: 0", "must be at least 1"),
        ("allowed_signers: signers", "allowed_signers: nobody", "there is no file"),
        ("until: 2027-01-04T00:00+01:00", "until: 2026-01-04T00:00Z", "must be after `from`"),
        ("from: 2026-12-20T00:00Z", "from: 2026-12-20", "with its zone"),
        ("from: 2026-12-20T00:00Z", "from: 0001-01-01T00:00+14:00", "with its zone"),
        ("for: 6h", "for: 8d", "must be from 1m to 7d"),
        ("at: 22:00", "at: 25:00", "must be a time of the UTC day"),
        ("at: 22:00, ", "", "`at` is missing"),
        ("valid_for: 12h", "valid_for: 0s", "longer than nothing"),
        ("windows:", "window:", "unknown key 'window'"),
    ],
)
def test_a_rule_that_cannot_be_is_told_with_its_place(site_path: Path, old: str, new: str, words: str) -> None:
    assert old in SITE
    site_path.write_text(SITE.replace(old, new))
    found, problems = examine_site(site_path)
    assert found is None
    assert words in "\n".join(one.sentence for one in problems)


def test_where_the_rules_of_a_site_are(site_path: Path, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.yaml"
    assert site_file(None, {}, fleet) == site_path
    assert site_file(None, {"SPARKCTL_PLAYBOOKS": "/x/y.yaml"}, fleet) == Path("/x/y.yaml")
    assert site_file(None, {}, None) is None

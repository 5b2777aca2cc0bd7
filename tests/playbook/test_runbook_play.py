"""The Ansible play of a playbook, as text: what it says of waves, budgets and steps, and that no text is a template."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from diag.nodekit.controller_catalogue import load_controllers
from sparkctl.model.playbook import Budget, OnFailure, Playbook, WaveRule
from sparkctl.report.runbook_ansible import nested
from sparkctl.report.runbook_ansible_tasks import counterparts, literal
from sparkctl.report.runbooks import KINDS
from tests.support.runbooks import EVIL, JINJA, hostile, playbook, rich, step

BRACES = st.text(st.sampled_from("{}%#'\"\\ ax\n-+") | st.characters(exclude_categories=["C"]))


def play_of(made: Playbook) -> dict[str, Any]:
    (play,) = yaml.safe_load(KINDS["ansible"](made, 1))
    assert isinstance(play, dict)
    return play


def tasks_in(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        if "block" in task:
            yield from tasks_in([*task["block"], *task["always"]])
        else:
            yield task


def order(tasks: list[dict[str, Any]]) -> list[Any]:
    """The names of tasks as lists: a block is a list with its `always` part behind a bar."""
    return [
        [*order(task["block"]), "|", *order(task["always"])] if "block" in task else task["name"].partition(":")[0]
        for task in tasks
    ]


@given(BRACES)
def test_a_literal_is_printed_as_it_is(text: str) -> None:
    made = Environment(keep_trailing_newline=True, autoescape=False).from_string(literal(text))  # as Ansible reads it
    assert made.render().replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert not literal(text).startswith("#")


def test_no_text_of_a_playbook_is_a_template() -> None:
    play = play_of(hostile())
    environment = Environment(autoescape=False)

    def told(text: str) -> str:
        return environment.from_string(text).render(
            inventory_hostname="n1", ansible_play_batch=["n1", "n2"], playbook_dir="/p"
        )

    names = {told(task["name"]) for task in tasks_in(play["tasks"])}
    assert {f"ask: {EVIL}", f"jinja: {JINJA}", f"act: {EVIL}", f"read: {EVIL}"} <= names
    assert told(play["name"]) == f"maintenance/made: {EVIL}"
    prompts = [task["ansible.builtin.pause"]["prompt"] for task in tasks_in(play["tasks"]) if "register" in task
               and "ansible.builtin.pause" in task]  # fmt: skip
    assert [told(one) for one in prompts] == [f"{EVIL} (n1, n2) [yes to go on]", f"{JINJA} (n1, n2) [yes to go on]"]
    (command,) = [task["ansible.builtin.command"]["argv"] for task in tasks_in(play["tasks"])
                  if "ansible.builtin.command" in task]  # fmt: skip
    assert [told(word) for word in command] == ["sparkctl", "drift", EVIL, JINJA, "n1"]
    assert told(play["vars"]["spark_evil"]) == EVIL
    assert [told(word) for word in play["vars"]["spark_words"]] == [JINJA, EVIL, "\u202e"]


def test_what_could_steer_a_screen_is_escaped() -> None:
    text = KINDS["ansible"](hostile(), 1)
    assert not [mark for mark in ("\x1b", "\u202e") if mark in text]
    assert "Größe" in KINDS["ansible"](playbook(title="Größe"), 1)


def test_waves_and_limits() -> None:
    play = play_of(rich())
    assert (play["serial"], play["throttle"]) == ([1, "10%", "50%"], 5)
    assert (play["gather_facts"], play["hosts"]) == (False, "{{ sparkctl_hosts | default('set_sparkctl_hosts') }}")
    (packages,) = [task for task in tasks_in(play["tasks"]) if task["name"].startswith("packages:")]
    assert packages["timeout"] == packages["vars"]["sparkctl_within_s"] == 5400
    assert packages["vars"]["step_packages"] == "{{ spark_packages }}"
    assert play["vars"]["spark_kernel"] is None
    assert "spark_packages" not in play["vars"]
    assert play["tasks"][0]["ansible.builtin.assert"]["that"] == [
        "spark_packages is defined",
        "spark_device is defined",
    ]
    assert play["tasks"][-1]["ansible.builtin.pause"] == {"seconds": 1800}


@pytest.mark.parametrize(
    ("sizes", "budget", "policy", "always", "stops"),
    [
        (["1"], (0, 0), OnFailure.HOLD, False, {"any_errors_fatal": True}),
        (["10%"], (5, 0), OnFailure.ROLLBACK, True, {"any_errors_fatal": True}),
        (["1", "8"], (2, 4), OnFailure.HOLD, False, {"max_fail_percentage": 25}),
        (["1"], (3, 4), OnFailure.HOLD, False, {"max_fail_percentage": 100}),
        (["1", "8"], (2, 4), OnFailure.HOLD, True, {}),
        (["1", "10%"], (2, 4), OnFailure.HOLD, False, {}),
        (["1"], (0, 0), OnFailure.STOP_NEW, False, {}),
    ],
)
def test_what_stops_within_a_wave(
    sizes: list[str], budget: tuple[int, int], policy: OnFailure, always: bool, stops: dict[str, Any]
) -> None:
    made = playbook(
        step("a", "judge"), step("b", "judge", always=always), waves=WaveRule(sizes=sizes),
        budget=Budget(wave=budget[0], total=budget[1]), on_failure=policy,
    )  # fmt: skip
    play = play_of(made)
    assert {key: play[key] for key in ("any_errors_fatal", "max_fail_percentage") if key in play} == stops
    (gate,) = [task for task in play["tasks"] if task.get("name") == "The budget is not used up"]
    assert [int(one.rpartition("<= ")[2]) for one in gate["ansible.builtin.assert"]["that"]] == list(budget)


def test_any_number_may_fail_where_the_playbook_says_so() -> None:
    made = playbook(budget=Budget(wave=100_000, total=100_000), on_failure=OnFailure.STOP_NEW)
    assert [task["name"] for task in play_of(made)["tasks"]] == ["health: Title of health"]


def test_steps_that_are_always_done_stay_in_their_place() -> None:
    def named(*words: str) -> list[Any]:
        return order(nested(playbook(*(step(word[0], "judge", always=word.endswith("!")) for word in words))))

    assert named("a", "b") == ["a", "b"]
    assert named("a", "b", "c!") == [["a", "b", "|", "c"]]
    assert named("a", "b!", "c", "d!") == [[["a", "|", "b"], "c", "|", "d"]]
    assert named("a!", "b", "c!", "d") == [["a", "b", "|", "c"], "d"]


@pytest.mark.parametrize("name", sorted(counterparts()))
def test_a_counterpart_takes_the_options_of_its_controller_and_leaves_out_none_that_must_be(name: str) -> None:
    parameters = load_controllers()[name].parameters
    used = set(re.findall(r"\bstep_([a-z_]+)", str(counterparts()[name]["tasks"])))
    assert used <= parameters.keys()
    assert used >= {key for key, one in parameters.items() if one.required}


def test_a_controller_without_a_counterpart_fails_and_says_what_is_missing() -> None:
    made = playbook(step("x", "control.never-heard-of"))
    (task,) = [task for task in tasks_in(play_of(made)["tasks"]) if task["name"].startswith("x:")]
    assert "controller never-heard-of has no counterpart" in task["ansible.builtin.fail"]["msg"]
    assert "# - never-heard-of: there is no counterpart in Ansible; its task fails" in KINDS["ansible"](made, 1)


def test_what_the_play_has_not_stands_at_its_top() -> None:
    head = KINDS["ansible"](rich(), 2).partition("\n- name:")[0]
    assert all(line == "---" or line.startswith("#") for line in head.splitlines())
    words = " ".join(line.lstrip("# ") for line in head.splitlines())
    for lack in ("No journal", "No resume", "No approvals", "No fencing", "No comparison with control nodes"):
        assert lack in words
    assert "spark-approve-disruptive" in words
    assert """-e '{"spark_packages": {"NAME": "VALUE"}}' -e spark_device=VALUE""" in words
    for name in ("drain", "reboot", "apt-upgrade"):
        assert f"{name}: {counterparts()[name]['lacks']}" in words

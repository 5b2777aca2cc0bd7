"""A playbook as an Ansible play, as near as one comes to it; what the play lacks stands at its top."""

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from sparkctl.model.playbook import OnFailure, ParameterKind, Playbook, names_in
from sparkctl.model.printable import printable
from sparkctl.playbook.verbs import FOLDER, controller_of
from sparkctl.report.runbook import UNBOUNDED, approval_words, budget_words, wave_words
from sparkctl.report.runbook_ansible_tasks import counterparts, literal, tasks_of, variable_of

Task = dict[str, Any]
_WIDTH = 118
_UNNAMED = "set_sparkctl_hosts"
_GIVEN = {
    ParameterKind.WORD: "-e {}=VALUE",
    ParameterKind.NUMBER: "-e {}=1",
    ParameterKind.WORDS: '-e \'{{"{}": ["VALUE"]}}\'',
    ParameterKind.MAPPING: '-e \'{{"{}": {{"NAME": "VALUE"}}}}\'',
}
_LACKS = (
    "No journal: nothing records what was meant and what came of it.",
    "No resume: a play that was interrupted begins again at its first task, whatever has been done.",
    "No approvals: whoever can run it runs it.",
    "No fencing: nothing keeps two plays, or a play and sparkctl, from treating one node at the same time.",
    "No comparison with control nodes after a wave, and no node stays untouched for that.",
    "No states: a node whose state forbids it is treated all the same.",
    "No maintenance windows, no freezes, and nodes that are cabled together may be in different waves.",
    "Nothing is taken back.",
)


def play(playbook: Playbook, approvals: int) -> str:
    """The YAML of the play; `approvals` is how many people would have to approve a plan of it."""
    body: dict[str, Any] = {
        "name": literal(f"{playbook.name}: {playbook.title}"),
        "hosts": f"{{{{ sparkctl_hosts | default('{_UNNAMED}') }}}}",
        "gather_facts": False,
        "serial": [size if size.endswith("%") else int(size) for size in playbook.waves.sizes],
        "throttle": playbook.waves.at_once,
        **_stopping(playbook),
        "vars": _variables(playbook),
        "tasks": [*_before(playbook), *nested(playbook), *_soaking(playbook)],
    }
    text = yaml.safe_dump([body], sort_keys=False, allow_unicode=True, width=_WIDTH)
    if any(printable(line, len(line)) != line for line in text.splitlines()):  # what YAML allows may reorder a line
        text = yaml.safe_dump([body], sort_keys=False, width=_WIDTH)
    return "".join(f"{line}\n" for line in _head(playbook, approvals)) + text


def _head(playbook: Playbook, approvals: int) -> Iterator[str]:
    """Comments: what this is, how it is run, and what it has not."""
    yield "---"
    needed = [_GIVEN[one.kind].format(variable_of(name)) for name, one in playbook.parameters.items() if one.required]
    yield from _comment(f"{playbook.name}: {playbook.title}")
    yield from _comment(f"Made by sparkctl from a file with the SHA-256 {playbook.sha256}.")
    yield from _comment(f"Run it: ansible-playbook -i INVENTORY {' '.join(['-e sparkctl_hosts=NODES', *needed])} FILE")
    yield from _comment("Nodes must have the names in that inventory that sparkctl knows them by.")
    yield "#"
    yield from _comment("What `sparkctl playbook` does and this play does not:")
    for words in [*_LACKS, *_unlike(playbook, approvals)]:
        yield from _comment(words, "- ")


def _unlike(playbook: Playbook, approvals: int) -> Iterator[str]:
    """Where this play in particular is not like the playbook."""
    yield f"The playbook says of approval: {approval_words(playbook.risk, approvals)}."
    yield f"Its waves: {wave_words(playbook.waves, whole_units=not playbook.breaks_units)}."
    yield "Here the nodes of a wave go from task to task together, and shares are rounded down."
    if playbook.budget.total < UNBOUNDED:
        yield f"Its budget: {budget_words(playbook.budget)}. Here that is looked at before each wave."
    if playbook.on_failure is not OnFailure.STOP_NEW and playbook.budget.wave and not _share(playbook):
        yield "Within a wave, other nodes go on when the budget is used up."
    known = counterparts()
    for name in dict.fromkeys(filter(None, (controller_of(step.do) for step in playbook.steps))):
        if name in known:
            yield f"{name}: {known[name]['lacks']}."
        else:
            yield f"{name}: there is no counterpart in Ansible; its task fails and says so."
    if any(step.do == "judge" and "ignore" in step.options for step in playbook.steps):
        yield "judge: no check is left out; `ignore` has no counterpart."


def _comment(words: str, bullet: str = "") -> Iterator[str]:
    first, rest = f"# {bullet}", f"# {' ' * len(bullet)}"
    yield from textwrap.wrap(
        printable(words, 2000), _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def _stopping(playbook: Playbook) -> dict[str, Any]:
    """What stops within a wave. Between waves a task of ours looks at the budget."""
    if playbook.on_failure is OnFailure.STOP_NEW:
        return {}
    if not playbook.budget.wave or not playbook.budget.total:
        return {"any_errors_fatal": True}
    share = _share(playbook)
    return {"max_fail_percentage": share} if share else {}


def _share(playbook: Playbook) -> int | None:
    """The budget of a wave in percent of the largest one; None where that cannot be told, or would skip `always`.

    Ansible ends a play at this share without the `always` part of a block that some nodes are in.
    """
    sizes = playbook.waves.sizes
    if any(size.endswith("%") for size in sizes) or any(step.always for step in playbook.steps):
        return None
    return min(100 * playbook.budget.wave // max(map(int, sizes)), 100)


def _variables(playbook: Playbook) -> dict[str, Any]:
    """What may be given with `-e`, with its defaults; null stands for a parameter that is left out."""
    found = {variable_of(name): literal(one.default) for name, one in playbook.parameters.items() if not one.required}
    if FOLDER in _named(playbook):
        found[variable_of(FOLDER)] = "{{ playbook_dir }}/files-of-run"
    found["sparkctl_failed"] = "{{ ansible_play_hosts_all | difference(ansible_play_hosts) | length }}"
    return found


def _named(playbook: Playbook) -> set[str]:
    return set().union(*(names_in(step.options) for step in playbook.steps))


def _before(playbook: Playbook) -> Iterator[Task]:
    """Before each wave: parameters are there, the budget is not used up, and there is a folder for files."""
    required = [variable_of(name) for name, one in playbook.parameters.items() if one.required]
    if required:
        yield {
            "name": "Every parameter that is required has a value",
            "ansible.builtin.assert": {"that": [f"{name} is defined" for name in required], "quiet": True},
        }
    if playbook.budget.total < UNBOUNDED:
        wave = "sparkctl_failed | int - hostvars['localhost']['sparkctl_failed_before'] | default(0) | int"
        yield {
            "name": "The budget is not used up",
            "ansible.builtin.assert": {
                "that": [f"{wave} <= {playbook.budget.wave}", f"sparkctl_failed | int <= {playbook.budget.total}"],
                "fail_msg": "{{ sparkctl_failed }} nodes have not come out well: no further wave begins",
                "quiet": True,
            },
        }
        yield {
            "name": "Count the nodes that have failed so far",
            "ansible.builtin.set_fact": {"sparkctl_failed_before": "{{ sparkctl_failed | int }}"},
            "delegate_to": "localhost",
            "delegate_facts": True,
            "run_once": True,
        }
    if FOLDER in _named(playbook):
        place = f"{{{{ {variable_of(FOLDER)} }}}}"
        yield {
            "name": "There is a folder for files of this run",
            "ansible.builtin.file": {"path": place, "state": "directory", "mode": "0700"},
            "delegate_to": "localhost",
            "run_once": True,
        }


def nested(playbook: Playbook) -> list[Task]:
    """The steps in their order; those that are done `always` in the part of a block that Ansible never leaves out."""
    done: list[Task] = []
    for step in playbook.steps:
        tasks = list(tasks_of(step))
        if step.always and done:
            done = [{"block": done, "always": tasks}]
        else:
            done += tasks
    return done


def _soaking(playbook: Playbook) -> Iterator[Task]:
    if playbook.waves.soak_s:
        yield {
            "name": "Wait before the next wave",
            "ansible.builtin.pause": {"seconds": playbook.waves.soak_s},
            "run_once": True,
            "when": "ansible_play_batch[-1] != ansible_play_hosts_all[-1]",
        }

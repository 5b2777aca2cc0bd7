"""A step of a playbook as tasks of Ansible. What a controller is there stands in `ansible/controllers.yaml`."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from sparkctl.errors import ExitCode
from sparkctl.model.playbook import Step, names_in
from sparkctl.playbook.verbs import BUILT_IN, FOLDER, NODE, RUN, controller_of, takes_node

Task = dict[str, Any]
_JINJA = re.compile(r"\{(?=[{%#])|\A#")
_NO_WORD = re.compile(r"[^A-Za-z0-9_]")
_GOOD = sorted((int(ExitCode.OK), int(ExitCode.SINK_FAILED)))
_BUSY_TRIES = 60
_BUSY_PAUSE_S = 10


@cache
def counterparts() -> dict[str, dict[str, Any]]:
    """What each controller is in Ansible: its `tasks`, and what these lack."""
    text = files("sparkctl.report").joinpath("ansible", "controllers.yaml").read_text("utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return found


def variable_of(name: str) -> str:
    """The variable of a parameter; of its own, since many words mean something to Ansible."""
    return f"spark_{name}"


def literal(value: Any) -> Any:
    """A value in which Ansible finds no template: no text of a playbook is ever evaluated.

    An opening brace before a brace, percent or hash sign is printed by a template of ours, as is a hash sign at the
    beginning, which could change what a template is (`#jinja2:`).
    """
    if isinstance(value, str):
        return _JINJA.sub(lambda match: f"{{{{ '{match[0]}' }}}}", value)
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return {literal(key): literal(item) for key, item in value.items()}
    return value


def tasks_of(step: Step) -> Iterator[Task]:
    """The tasks of a step, in order."""
    head: Task = {"name": literal(f"{step.id}: {step.title}")}
    name = controller_of(step.do)
    if name is not None:
        yield from _controlled(head, step, name)
    elif step.do == "wait":
        yield head | {"ansible.builtin.pause": {"seconds": int(step.options["seconds"])}, "run_once": True}
    elif step.do == "ask":
        yield from _asked(head, step)
    elif step.do == "move":
        words = f"not done by this play: sparkctl node move NODE {step.options['to']}, on its evidence"
        yield head | {"ansible.builtin.debug": {"msg": literal(words)}, "run_once": True}
    elif RUN in names_in(step.options):
        words = "this step rests on the journal of a run, which a play does not have"
        yield head | {"ansible.builtin.fail": {"msg": words}}
    else:
        yield head | _command(step)


def _value(value: Any) -> Any:
    """An option: parameters become variables, all else is taken as it stands."""
    if isinstance(value, str) and value.startswith("$"):
        return _variable(value[1:])
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {literal(key): _value(item) for key, item in value.items()}
    return literal(value)


def _variable(name: str) -> str:
    """What a parameter is in a play; files of a run are in a folder beside it."""
    if name == NODE:
        return "{{ inventory_hostname }}"
    if name not in BUILT_IN:
        return f"{{{{ {variable_of(name)} }}}}"
    file = "" if name == FOLDER else f"/{name.removesuffix('_file')}"
    return f"{{{{ playbook_dir }}}}/{{{{ inventory_hostname }}}}{file}"


def _controlled(head: Task, step: Step, name: str) -> Iterator[Task]:
    known = counterparts().get(name)
    if known is None:
        words = f"sparkctl's controller {name} has no counterpart in Ansible: put a task of yours here"
        yield head | {"ansible.builtin.fail": {"msg": words}}
        return
    options = {f"step_{_NO_WORD.sub('_', key)}": _value(value) for key, value in step.options.items()}
    for task in copy.deepcopy(known["tasks"]):
        yield head | task | {"vars": {**options, "sparkctl_within_s": step.within_s}, "timeout": step.within_s}


def _asked(head: Task, step: Step) -> Iterator[Task]:
    """A question, once for a wave. Without a terminal Ansible asks nobody, and then nothing goes on."""
    question = _value(step.options["question"])
    yield head | {
        "ansible.builtin.pause": {"prompt": f"{question} ({{{{ ansible_play_batch | join(', ') }}}}) [yes to go on]"},
        "run_once": True,
        "register": "sparkctl_answer",
    }
    yield {
        "name": literal(f"{step.id}: the answer is yes"),
        "ansible.builtin.assert": {
            "that": ["sparkctl_answer.user_input | default('') | lower == 'yes'"],
            "quiet": True,
        },
    }


def _command(step: Step) -> Task:
    """A command of sparkctl on this machine, one node after the other, tried again while another run is busy."""
    good = sorted([*_GOOD, *(int(ExitCode[word.upper()]) for word in step.options.get("accepts", ()))])
    if step.do == "judge":
        words = [
            "sparkctl",
            "health",
            "--fail-on",
            str(step.options.get("fail_on", "fail")),
            "{{ inventory_hostname }}",
        ]
    else:
        command = step.options["command"]
        words = ["sparkctl", *(_value(word) for word in command)]
        words += ["{{ inventory_hostname }}"] if f"${NODE}" not in command and takes_node(command) else []
    return {
        "ansible.builtin.command": {"argv": words},
        "delegate_to": "localhost",
        "become": False,
        "throttle": 1,
        "register": "sparkctl_command",
        "until": f"sparkctl_command.rc | default(0) != {int(ExitCode.BUSY)}",
        "retries": _BUSY_TRIES,
        "delay": _BUSY_PAUSE_S,
        "changed_when": False,
        "failed_when": f"sparkctl_command.rc | default(0) not in {good}",
        "timeout": step.within_s,
    }

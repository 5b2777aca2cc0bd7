"""What the options of a step may hold: in the file of a playbook, and once its parameters have values."""

from typing import Any

from sparkctl.errors import UsageError
from sparkctl.lifecycle.machine import EVIDENCE
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.lifecycle import LifecycleState
from sparkctl.model.playbook import Playbook, Step, with_parameters
from sparkctl.model.printable import printable
from sparkctl.playbook.verbs import BUILT_IN, DOCUMENTS, VERBS, is_command

ACCEPTABLE = ("findings", "unjudged", "sink_failed")
"""Exit codes of commands that a step may take for a good end."""

_MOST_WORDS = 100
_LONGEST_REASON = 800
_LONGEST_KEY = 120


def complaint(do: str | None, options: dict[str, Any]) -> str | None:
    """What is wrong with the options of a verb, whose names are right, in half a sentence."""
    if strange := [key for key in options if not _is_line(key, _LONGEST_KEY)]:
        return f"{printable(strange[0], 60)!r} is no name of an option"
    if do in _COMPLAINTS:
        return _COMPLAINTS[do](options)
    if do == "wait" and not (type(options["seconds"]) is int and 1 <= options["seconds"] <= 86400):
        return "`seconds` must be a number from 1 to 86400"
    if do == "ask" and not _is_line(options["question"], MAX_TEXT):
        return f"`question` must be one printable line of 1 to {MAX_TEXT:,} characters"
    return None


def require_values(playbook: Playbook, parameters: dict[str, Any]) -> None:
    """Raises UsageError where a parameter has no value that a step can take, for all nodes alike."""
    own = parameters | {name: name.upper() for name in BUILT_IN}
    for step in playbook.steps:
        options = with_parameters(step.options, own)
        verb = VERBS.get(step.do)
        if verb is not None and (missing := sorted(verb.required - options.keys())):
            raise _of_no_use(step, str(step.options[missing[0]]), "needs a value")
        if step.do == "sparkctl":
            _require_words(step, parameters)
        elif step.do in VERBS and (wrong := complaint(step.do, options)) is not None:
            raise UsageError(f"step {step.id}: {wrong}", hint="give the parameter another value with --set")


def _require_words(step: Step, parameters: dict[str, Any]) -> None:
    """Each parameter in a command is one word of it, and never an option of its own."""
    for word in step.options["command"]:
        name = word.removeprefix("$")
        if word == name or name in BUILT_IN:
            continue
        value = parameters[name]
        if type(value) not in (str, int) or not _is_line(str(value), MAX_TEXT):
            raise _of_no_use(step, word, "must be one word of its command")
        if str(value).startswith("-"):
            raise _of_no_use(step, word, "must not begin with `-`, as options do")


def _of_no_use(step: Step, parameter: str, words: str) -> UsageError:
    name = parameter.removeprefix("$")
    return UsageError(f"step {step.id}: the parameter {name!r} {words}", hint=f"--set {name}=VALUE")


def _complaint_of_command(options: dict[str, Any]) -> str | None:
    command, accepts = options["command"], options.get("accepts", [])
    if not isinstance(command, list) or not 1 <= len(command) <= _MOST_WORDS:
        return f"`command` must be a list of 1 to {_MOST_WORDS} words"
    if not all(_is_line(word, MAX_TEXT) for word in command):
        return f"`command` must be a list of words, each one printable line of at most {MAX_TEXT:,} characters"
    if not is_command(command):
        return f"a step may not run `sparkctl {' '.join(command)[:200]}`"
    if not isinstance(accepts, list):
        return f"`accepts` must be a list of {', '.join(ACCEPTABLE)}"
    if unknown := [word for word in accepts if word not in ACCEPTABLE]:
        return f"`accepts` may name {', '.join(ACCEPTABLE)}, not {printable(str(unknown[0]), 60)}"
    return None


def _complaint_of_judge(options: dict[str, Any]) -> str | None:
    ignored = options.get("ignore", [])
    if options.get("fail_on", "fail") not in ("fail", "warn"):
        return "`fail_on` must be fail or warn"
    if isinstance(ignored, str) and ignored.startswith("$"):
        return None
    if not isinstance(ignored, list) or not all(_is_line(one, MAX_TEXT) for one in ignored):
        return "`ignore` must be a list of patterns such as [disk.*]"
    return None


def _complaint_of_move(options: dict[str, Any]) -> str | None:
    if options["to"] not in [state.value for state in LifecycleState]:
        return f"there is no state {printable(str(options['to']), 60)!r}"
    if not _is_line(options["reason"], _LONGEST_REASON):
        return f"`reason` must be one printable line of 1 to {_LONGEST_REASON} characters"
    evidence = options.get("evidence", {})
    if not isinstance(evidence, dict) or not all(isinstance(one, str) for one in evidence.values()):
        return f"`evidence` must be a mapping of kinds to one of {', '.join(DOCUMENTS)}"
    unknown = [kind for kind, document in evidence.items() if kind not in EVIDENCE or document not in DOCUMENTS]
    if unknown:
        return f"`evidence` has no kind {printable(unknown[0], 60)!r}, or rests on none of {', '.join(DOCUMENTS)}"
    return None


_COMPLAINTS = {"sparkctl": _complaint_of_command, "judge": _complaint_of_judge, "move": _complaint_of_move}


def _is_line(value: Any, longest: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and printable(value, longest) == value

"""The manual page: all commands with their options, from what the command line says of itself."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparkctl.app.alert_rules_file import FILE_VARIABLE as RULES_VARIABLE
from sparkctl.app.places import FLEET_VARIABLE, SINKS_VARIABLE
from sparkctl.app.playbook_site import FILE_VARIABLE as PLAYBOOKS_VARIABLE
from sparkctl.app.schedule_file import FILE_VARIABLE as SCHEDULES_VARIABLE
from sparkctl.errors import ExitCode
from sparkctl.store.location import STATE_VARIABLE

Described = Mapping[str, Any]
"""A command or an option as click describes it (`Command.to_info_dict`)."""

ENVIRONMENT = {
    FLEET_VARIABLE: "The inventory, where --fleet names none.",
    STATE_VARIABLE: "The state folder, where --state names none.",
    SINKS_VARIABLE: "The file of sinks, where --sinks names none.",
    RULES_VARIABLE: "The rules of alerting, where --rules names none.",
    SCHEDULES_VARIABLE: "The file of schedules, where --file names none.",
    PLAYBOOKS_VARIABLE: "The rules for playbooks, where --site names none.",
    "SSH_AUTH_SOCK": "The agent that has the operator's keys.",
}

_MEANINGS = {
    ExitCode.OK: "every selected node was judged, nothing failed",
    ExitCode.FINDINGS: "something failed, or is not as it should be",
    ExitCode.USAGE: "wrong command line, or a file that cannot be used",
    ExitCode.UNJUDGED: "nothing failed, but somebody or something required was not judged",
    ExitCode.REFUSED: "a safety rule stopped it",
    ExitCode.IN_DOUBT: "a person has to look",
    ExitCode.SINK_FAILED: "stored, but something that results go to did not take them",
    ExitCode.INTERNAL: "a bug in sparkctl",
    ExitCode.BUSY: "another run holds the lock",
}


def man_page(root: Described, version: str) -> str:
    """The page in roff, the macros being those of man(7); `root` describes the whole command line."""
    lines = [f'.TH SPARKCTL 1 "" "sparkctl {version}" "User Commands"', ".SH NAME"]
    lines += [r"sparkctl \- look after a fleet of DGX Spark nodes over SSH", ".SH SYNOPSIS"]
    lines += [r".B sparkctl", r".I COMMAND", r"[\fIOPTION\fR]... [\fIARGUMENT\fR]..."]
    lines += [".SH DESCRIPTION", *_prose(root["help"]), ".SH COMMANDS"]
    for words, command in _commands(root, ("sparkctl",)):
        lines += _command(words, command)
    lines.append(".SH EXIT STATUS")
    lines += _list((str(int(code)), words) for code, words in _MEANINGS.items())
    lines.append(".SH ENVIRONMENT")
    lines += _list(ENVIRONMENT.items())
    lines += [".SH SEE ALSO", r"\fBsparkctl help\fR lists pages that say more; \fBssh\fR(1), \fBssh_config\fR(5)."]
    return "\n".join(lines) + "\n"


def _commands(command: Described, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Described]]:
    """Every command that does something, with the words that call it."""
    for name, below in sorted(command["commands"].items()):
        if "commands" in below:
            yield from _commands(below, (*words, name))
        elif not below["hidden"]:
            yield (*words, name), below


def _command(words: Sequence[str], command: Described) -> Iterator[str]:
    arguments = [_argument(each) for each in command["params"] if each["param_type_name"] == "argument"]
    options = [each for each in command["params"] if each["param_type_name"] == "option" and not each["hidden"]]
    yield f".SS {_escaped(' '.join([*words, *(['[OPTION]...'] if options else []), *arguments]))}"
    yield from _prose(command["help"])
    yield from _list((_option(each), each["help"] or "") for each in options if "--help" not in each["opts"])


def _argument(argument: Described) -> str:
    name = argument["name"].upper() + ("..." if argument["nargs"] == -1 else "")
    return name if argument["required"] else f"[{name}]"


def _option(option: Described) -> str:
    names = ", ".join([*option["opts"], *option["secondary_opts"]])
    if option["is_flag"] or option["count"]:
        return names
    choices = option["type"].get("choices")
    return f"{names} {'|'.join(map(str, choices)) if choices else option['type']['name'].upper()}"


def _list(pairs: Any) -> Iterator[str]:
    for name, words in pairs:
        yield from (".TP", rf"\fB{_escaped(name)}\fR", _escaped(" ".join(words.split())) or r"\&")


def _prose(text: str) -> Iterator[str]:
    """Paragraphs; what click is told not to wrap (a line of `\\b` before it) keeps its lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines[0] == "\b":
            yield from (".nf", *map(_escaped, lines[1:]), ".fi")
        else:
            yield _escaped(" ".join(lines))


def _escaped(text: str) -> str:
    """Text that roff prints as it stands."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga").replace("'", r"\(aq")
    return rf"\&{safe}" if safe.startswith(".") else safe

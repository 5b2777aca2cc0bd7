"""Ansible's host patterns and the groups and hosts of one Ansible inventory, whichever syntax it is written in.

The rules follow Ansible's documentation, "How to build your inventory" and "Using variables: variable precedence".
"""

import re
from dataclasses import dataclass, field
from itertools import product
from math import prod

from sparkctl.inventory.draft import FleetDraft, GroupDraft, NodeDraft, Reference, Setting, Settings, Source
from sparkctl.inventory.problems import SourceFault, Where, nearest
from sparkctl.inventory.ranges import MAX_NAMES
from sparkctl.model.printable import printable

_RANGE = re.compile(r"\[([^\[\]]*:[^\[\]]*)\]")
_IPV6_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\]:([0-9]+)")
_WITH_PORT = re.compile(r"((?:[^:\[\]]|\[[^\[\]]*\])+):([0-9]+)")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GROUP_NAME = re.compile(r"[^\s\[\]:]{1,120}")


def split_port(pattern: str) -> tuple[str, str | None]:
    """Part `web:2222` and `[2001:db8::1]:2222` into host pattern and port."""
    found = _IPV6_WITH_PORT.fullmatch(pattern) or _WITH_PORT.fullmatch(pattern)
    return (found[1], found[2]) if found else (pattern, None)


def expand_hosts(pattern: str) -> list[str]:
    """Return the hosts of `web[01:50:2]` or `db-[a:f]`; raises ValueError with half a sentence."""
    pieces: list[list[str]] = []
    offset = 0
    for found in _RANGE.finditer(pattern):
        pieces += [[pattern[offset : found.start()]], _expand_range(found[1])]
        offset = found.end()
    pieces.append([pattern[offset:]])
    if prod(map(len, pieces)) > MAX_NAMES:
        raise ValueError(f"stands for more than {MAX_NAMES:,} hosts")
    return ["".join(parts) for parts in product(*pieces)]


def _expand_range(inside: str) -> list[str]:
    first, last, *rest = inside.split(":")
    step = rest[0] if rest else "1"
    if len(rest) > 1 or not re.fullmatch(r"[0-9]{1,9}", step) or int(step) == 0 or not last:
        raise ValueError(f"has [{printable(inside)}], which is no range of the form [01:50] or [01:50:2]")
    first = first or "0"
    if re.fullmatch(r"[0-9]{1,18}", first) and re.fullmatch(r"[0-9]{1,18}", last):
        if first.startswith("0") and len(first) > 1 and len(first) != len(last):
            raise ValueError(f"has [{inside}], whose ends must be written with the same width")
        numbers = range(int(first), int(last) + 1, int(step))
        if not numbers or len(numbers) > MAX_NAMES:
            raise ValueError(f"has [{inside}], which stands for no host or for more than {MAX_NAMES:,}")
        width = len(first) if first.startswith("0") else 0
        return [str(number).zfill(width) for number in numbers]
    if len(first) == len(last) == 1 and first in _LETTERS and last in _LETTERS:
        letters = _LETTERS[_LETTERS.index(first) : _LETTERS.index(last) + 1 : int(step)]
        if letters:
            return list(letters)
    raise ValueError(f"has [{printable(inside)}], which counts neither numbers nor letters upwards")


@dataclass(slots=True)
class Host:
    """One host of an Ansible inventory; `late` variables are those of `host_vars`."""

    where: Where
    variables: Settings = field(default_factory=dict)
    late: Settings = field(default_factory=dict)


class AnsibleInventory:
    """The hosts and groups of one Ansible inventory while it is read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.hosts: dict[str, Host] = {}
        self.groups = {name: GroupDraft(name, source.where()) for name in ("all", "ungrouped")}

    def group(self, name: str, where: Where) -> GroupDraft:
        """Return a group, which the first mention declares."""
        if not _GROUP_NAME.fullmatch(name):
            self.source.problems.error(where, f"'{printable(name)}' cannot be the name of a group", "Choose one word.")
        return self.groups.setdefault(name, GroupDraft(name, where))

    def add_hosts(self, pattern: str, variables: Settings, group: GroupDraft, where: Where) -> None:
        """Add the hosts of a pattern to a group, with variables that override what was said of them before."""
        bare, port = split_port(pattern)
        try:
            names = expand_hosts(bare)
        except ValueError as error:
            self.source.problems.error(where, f"{printable(pattern)} {error}", "Correct the range.")
            return
        if port is not None:
            from_name = {"$ansible_port": Setting(port, where)}
            variables = from_name | variables
        for name in names:
            host = self.hosts.setdefault(name, Host(where))
            host.variables.update(variables)
            if group.name not in ("all", "ungrouped"):
                group.members.append(Reference(name, where, literal=True))
        if len(self.hosts) > MAX_NAMES:
            raise SourceFault(where, f"the inventory describes more than {MAX_NAMES:,} hosts", "Split it into fleets.")

    def finish(self, draft: FleetDraft) -> None:
        """Hand everything over to the draft of the fleet."""
        for name, host in self.hosts.items():
            draft.add_node(NodeDraft(name, host.where, host.variables, host.late, (self.source.file,)))
        grouped = {member.text for group in self.groups.values() for member in group.members}
        alone = {name: host for name, host in self.hosts.items() if name not in grouped}
        self.groups["ungrouped"].members = [Reference(name, host.where, literal=True) for name, host in alone.items()]
        self.groups["ungrouped"].children.clear()
        draft.everyone[self.source.file] = self.groups["all"]
        for name, group in self.groups.items():
            if name != "all":
                self._set_priority(group)
                draft.add_group(group)

    def _set_priority(self, group: GroupDraft) -> None:
        setting = group.settings.pop("$ansible_group_priority", None)
        if setting is None:
            return
        if re.fullmatch(r"-?[0-9]{1,9}", str(setting.value)):
            group.priority = int(str(setting.value))
        else:
            message = f"ansible_group_priority must be a whole number, not '{printable(str(setting.value))}'"
            self.source.problems.error(setting.where, message, "Correct the value.")

    def require_group(self, reference: Reference) -> None:
        """Note a problem when a group that is named somewhere was declared nowhere."""
        if reference.text not in self.groups:
            close = nearest(reference.text, self.groups, 1)
            action = f"Did you mean {printable(close[0])}?" if close else "Declare the group, or remove its name here."
            self.source.problems.error(reference.where, f"there is no group {printable(reference.text)}", action)

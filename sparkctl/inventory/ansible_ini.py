"""Ansible inventories in INI syntax: `[group]`, `[group:children]`, `[group:vars]`, and host lines with variables."""

import ast
import re
import shlex
import warnings

from sparkctl.inventory.ansible_hosts import AnsibleInventory
from sparkctl.inventory.ansible_variables import variable
from sparkctl.inventory.draft import GroupDraft, Reference, Settings, Source
from sparkctl.inventory.problems import Where, unknown_key_action
from sparkctl.model.printable import printable

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_NUMBER_WITH_COMMENT = re.compile(r"([0-9][0-9_.]*)\s*#.*")
_KINDS = ("hosts", "children", "vars")
_COMMENT = ("#", ";")


def read_ansible_ini(text: str, source: Source) -> AnsibleInventory:
    """Read the inventory; what is wrong with a line is noted as a problem and the line left out."""
    reader = _IniReader(source)
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith(_COMMENT):
            reader.line(stripped, source.where(number))
    reader.finish()
    return reader.inventory


class _IniReader:
    def __init__(self, source: Source) -> None:
        self.inventory = AnsibleInventory(source)
        self._source = source
        self._group = GroupDraft("ungrouped", source.where())
        self._kind = "hosts"
        self._variables: dict[str, list[tuple[Where, Settings]]] = {}
        self._sections: dict[str, Where] = {}

    def line(self, line: str, where: Where) -> None:
        """Read one line that is neither empty nor a comment."""
        if line.startswith("[") and (found := _SECTION.fullmatch(line)):
            self._section(found[1], found[2] or "hosts", where)
        elif line.startswith("[") and "]:" not in line:
            action = "A section reads [group], [group:children] or [group:vars]."
            self._source.problems.error(where, f"{printable(line)} is not a section", action)
        else:
            {"hosts": self._host, "children": self._child, "vars": self._variable}[self._kind](line, where)

    def finish(self) -> None:
        """Apply the variables of groups, and check that every group named was declared."""
        for name, blocks in self._variables.items():
            where = blocks[0][0]
            self.inventory.require_group(Reference(name, where))
            group = self.inventory.groups.get(name)
            for _, settings in blocks if group else ():
                if group is not None:
                    group.settings.update(settings)
        for group in self.inventory.groups.values():
            for child in group.children:
                self.inventory.require_group(child)

    def _section(self, name: str, kind: str, where: Where) -> None:
        if kind not in _KINDS:
            action = unknown_key_action(kind, _KINDS)
            self._source.problems.error(
                where, f"[{printable(name)}:{printable(kind)}] is not a kind of section", action
            )
            kind = "hosts"
        self._kind = kind
        if kind == "vars":
            # The section alone does not declare the group: it may come later, or never.
            self._group = GroupDraft(name, where)
            self._variables.setdefault(name, []).append((where, self._group.settings))
        else:
            self._group = self.inventory.group(name, where)

    def _host(self, line: str, where: Where) -> None:
        tokens = self._tokens(line, where)
        if not tokens:
            return
        pattern, *assignments = tokens
        at = where._replace(key=pattern)
        variables: Settings = {}
        for token in assignments:
            name, equals, value = token.partition("=")
            if not equals:
                message = f"{printable(token)} is not of the form key=value"
                self._source.problems.error(at, message, "Write one host on a line, its variables as key=value.")
                continue
            variables |= variable(name, literal(value), at, self._source)
        self.inventory.add_hosts(pattern, variables, self._group, at)

    def _tokens(self, line: str, where: Where) -> list[str]:
        try:
            return shlex.split(line, comments=True)
        except ValueError as error:
            self._source.problems.error(where, f"the line cannot be split into words: {error}", "Close the quotation.")
            return []

    def _child(self, line: str, where: Where) -> None:
        tokens = self._tokens(line, where)
        if len(tokens) > 1:
            message = f"{printable(line)} is not one group"
            self._source.problems.error(where, message, "Write one group on a line of a :children section.")
        elif tokens:
            self._group.children.append(Reference(tokens[0], where._replace(key=f"{self._group.name}:children")))

    def _variable(self, line: str, where: Where) -> None:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            message = f"{printable(line)} is not of the form key=value"
            self._source.problems.error(where, message, "Write key=value in a :vars section.")
            return
        at = where._replace(key=f"{self._group.name}:vars")
        self._group.settings |= variable(name, literal(value), at, self._source)


def literal(value: str) -> str:
    """Take off quotes, and a comment after a number: Ansible reads a value as a Python literal where it can."""
    if value[:1] in ("'", '"'):
        return _string(value)
    number = _NUMBER_WITH_COMMENT.fullmatch(value)
    return number[1] if number else value


def _string(value: str) -> str:
    try:
        with warnings.catch_warnings():
            # An unknown escape such as \d is none of the operator's business.
            warnings.simplefilter("ignore")
            parsed = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value
    return parsed if isinstance(parsed, str) else value

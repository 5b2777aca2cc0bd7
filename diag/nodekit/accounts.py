"""Local users and groups by name: never a password, and nothing of what a directory service adds."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.machine import Machine

PASSWD = "/etc/passwd"
GROUP = "/etc/group"
NO_LOGIN = frozenset({"nologin", "false", "sync", "halt", "shutdown", "true"})


@dataclass(frozen=True)
class User:
    """A line of /etc/passwd, as far as it matters here."""

    name: str
    uid: int
    gid: int
    shell: str

    @property
    def may_log_in(self) -> bool:
        """Whether the shell is one; no shell means /bin/sh (passwd(5))."""
        return self.shell.rpartition("/")[2] not in NO_LOGIN


@dataclass(frozen=True)
class Group:
    """A line of /etc/group."""

    name: str
    gid: int
    members: frozenset[str]


def users(machine: Machine) -> tuple[User, ...]:
    """The users of /etc/passwd; raises OSError."""
    return parse_passwd(machine.read(PASSWD))


def parse_passwd(text: str) -> tuple[User, ...]:
    """Lines that are none are passed over."""
    rows = (line.split(":") for line in text.splitlines())
    return tuple(
        User(row[0][:120], int(row[2]), int(row[3]), row[6].strip())
        for row in rows
        if len(row) == 7 and row[0] and _is_id(row[2]) and _is_id(row[3])
    )


def groups(machine: Machine) -> tuple[Group, ...]:
    """The groups of /etc/group; raises OSError."""
    return parse_group(machine.read(GROUP))


def parse_group(text: str) -> tuple[Group, ...]:
    """Lines that are none are passed over."""
    rows = (line.split(":") for line in text.splitlines())
    return tuple(
        Group(row[0][:120], int(row[2]), frozenset(name.strip()[:120] for name in row[3].split(",") if name.strip()))
        for row in rows
        if len(row) == 4 and row[0] and _is_id(row[2])
    )


def members(group: Group, everybody: tuple[User, ...]) -> list[str]:
    """Who is in a group, by its line or as the user's first group, sorted."""
    return sorted(group.members | {user.name for user in everybody if user.gid == group.gid})


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10

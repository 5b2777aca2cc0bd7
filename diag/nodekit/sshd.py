"""The policy of the SSH server, from `sshd -T` or from its files (sshd_config(5): the first value wins)."""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from diag.nodekit.machine import Machine

SSHD_CONFIG = "/etc/ssh/sshd_config"
EFFECTIVE = ("/usr/sbin/sshd", "-T")
MAX_FILES = 64
MAX_DEPTH = 16  # of includes, as sshd has it
MANY = frozenset({"port", "listenaddress", "allowusers", "allowgroups", "denyusers", "denygroups"})
ONE = frozenset({
    "permitrootlogin", "passwordauthentication", "kbdinteractiveauthentication", "pubkeyauthentication",
    "hostbasedauthentication", "permitemptypasswords", "authenticationmethods", "usepam", "maxauthtries",
    "logingracetime", "clientaliveinterval", "clientalivecountmax", "x11forwarding", "allowtcpforwarding",
    "allowagentforwarding", "gatewayports", "permittunnel", "permituserenvironment", "strictmodes", "loglevel",
    "trustedusercakeys", "authorizedkeysfile", "authorizedkeyscommand", "ciphers", "macs", "kexalgorithms",
})  # fmt: skip
OLD_NAMES = {"challengeresponseauthentication": "kbdinteractiveauthentication"}
OLD_VALUES = {"without-password": "prohibit-password"}


@dataclass
class Policy:
    """Settings by their name in lower case. `match_blocks`: some hold for some connections only; None: not known.

    `unreadable` is a file that may not be read: what stands behind it in the order of reading is left out, since a
    value in it could win.
    """

    settings: dict[str, str | list[str]] = field(default_factory=dict)
    match_blocks: bool | None = False
    unreadable: str | None = None

    def add(self, name: str, values: list[str]) -> None:
        """Keep a value unless an earlier one stands."""
        name = OLD_NAMES.get(name, name)
        if name in MANY:
            there = self.settings.setdefault(name, [])
            if isinstance(there, list):
                there += [value[:1000] for value in values if value not in there][: 100 - len(there)]
        elif name in ONE and values:
            value = " ".join(values)[:1000]
            self.settings.setdefault(name, OLD_VALUES.get(value, value))


def parse_effective(text: str) -> Policy:
    """What `sshd -T` prints: a name in lower case and a value on each line; raises ValueError when that is not it."""
    policy = Policy()
    for name, values in _directives(text):
        policy.add(name, values)
    if "permitrootlogin" not in policy.settings:
        raise ValueError("sshd -T does not tell its settings")
    return _sorted(policy)


def read_files(machine: Machine) -> Policy:
    """The settings in sshd_config and what it includes; raises FileNotFoundError where there is none."""
    policy = Policy()
    _read(machine, SSHD_CONFIG, policy, [MAX_FILES], 0)
    if policy.unreadable and not policy.match_blocks:
        policy.match_blocks = None
    return _sorted(policy)


def _read(machine: Machine, path: str, policy: Policy, left: list[int], depth: int) -> None:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH or policy.unreadable:
        return
    try:
        text = machine.read(path)
    except PermissionError:
        policy.unreadable = path
        return
    conditional = False
    for name, values in _directives(text):
        if name == "match":
            conditional = [value.lower() for value in values] != ["all"]
            policy.match_blocks = policy.match_blocks or conditional
        elif conditional:
            continue
        elif name == "include":
            for value in values:
                for included in _files(machine, value):
                    _read(machine, included, policy, left, depth + 1)
        elif policy.unreadable is None:
            policy.add(name, values)


def _files(machine: Machine, pattern: str) -> list[str]:
    """The files that a pattern names; a pattern may stand in the last part only, as it does everywhere in practice."""
    whole = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
    folder, _, last = whole.rpartition("/")
    if not set("*?[") & set(last):
        return [whole] if machine.exists(whole) else []
    return [f"{folder}/{name}" for name in machine.names(folder) if fnmatch.fnmatchcase(name, last)]


def _directives(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        words = line.replace("=", " ", 1).split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        name, *rest = words
        try:
            yield name.lower(), shlex.split(rest[0], comments=True) if rest else []
        except ValueError:
            yield name.lower(), rest[0].split()


def _sorted(policy: Policy) -> Policy:
    policy.settings = {
        name: sorted(value) if isinstance(value, list) else value for name, value in policy.settings.items()
    }
    return policy

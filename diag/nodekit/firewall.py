"""What stands between the network and the node: ufw's switch, and the base chains of nftables."""

from __future__ import annotations

import re

from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.release import release_values
from diag.nodekit.vocabulary import UnknownReason

UFW = "/etc/ufw/ufw.conf"
UFW_DEFAULTS = "/etc/default/ufw"
NF_TABLES = "/sys/module/nf_tables"
LIST_CHAINS = ("/usr/sbin/nft", "list", "chains")
MAX_CHAINS = 200
_TABLE = re.compile(r"table (\w+) (\S+) \{")
_CHAIN = re.compile(r"chain (\S+) \{")
_HOOK = re.compile(r"type \w+ hook (\w+)\b[^;]*;(?: policy (\w+);)?")


def ufw_enabled(machine: Machine) -> bool | None:
    """Whether ufw is switched on, None where there is no ufw; raises OSError."""
    text = machine.read_or_none(UFW)
    return None if text is None else release_values(text).get("ENABLED", "no").lower() == "yes"


def ufw_input(machine: Machine) -> str | None:
    """What ufw does with packets that no rule names: `drop`, `reject`, `accept`."""
    policy = release_values(machine.read_or_none(UFW_DEFAULTS) or "").get("DEFAULT_INPUT_POLICY", "")
    return policy.lower()[:120] or None


def base_chains(machine: Machine) -> dict[str, dict[str, str | None]]:
    """The chains of nftables that the kernel calls, by `family table chain`.

    Not asked for where the kernel has not loaded nftables: asking would load it. Raises PermissionError, MissingTool,
    TimeoutError, Unevaluated.
    """
    if not machine.exists(NF_TABLES):
        return {}
    ran = machine.run(LIST_CHAINS, seconds=3.0, elevate=True)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, f"nft ended with {ran.exit_status}: {one_line(ran.stderr)}")
    return parse_chains(ran.stdout)


def parse_chains(text: str) -> dict[str, dict[str, str | None]]:
    """What `nft list chains` prints; only chains with a hook are kept."""
    found: dict[str, dict[str, str | None]] = {}
    table = chain = ""
    for line in text.splitlines():
        if match := _TABLE.search(line):
            table = f"{match[1]} {match[2]}"
        elif match := _CHAIN.search(line):
            chain = match[1]
        elif (match := _HOOK.search(line)) and len(found) < MAX_CHAINS:
            found[f"{table} {chain}".strip()[:120]] = {"hook": match[1], "policy": match[2]}
    return found

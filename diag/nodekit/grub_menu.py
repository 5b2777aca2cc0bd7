"""The entries of GRUB's menu by the ids that grub-reboot(8) takes: the id of a submenu, `>`, and that of the entry.

Sources: the GRUB manual ("menuentry", "submenu", "grub-reboot"), and Ubuntu's 10_linux, which writes the ids.
"""

from __future__ import annotations

import re

from diag.nodekit.machine import Machine

GRUB_MENU = "/boot/grub/grub.cfg"
MAX_MENU = 1024 * 1024
_OPENS = re.compile(r"\s*(submenu|menuentry) .*\$menuentry_id_option '([^']*)'.*\{\s*$")
_LINUX = re.compile(r"\s*linux(?:efi)?\s+\S*/vmlinu[zx]-(\S+)")
ENTRY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+~>-]{0,199}")
RECOVERY = "recovery"


def entry_of(machine: Machine, release: str) -> str | None:
    """The id of the entry that boots a kernel, one that names it before any other; None where there is none.

    Raises OSError, and ValueError for an id that cannot be handed on.
    """
    found = [entry for entry, kernel in entries(machine.read(GRUB_MENU, MAX_MENU)) if kernel == release]
    plain = [entry for entry in found if RECOVERY not in entry]
    best = next((entry for entry in plain if release in entry), None) or next(iter(plain), None)
    if best is not None and not ENTRY_ID.fullmatch(best):
        raise ValueError(f"the menu of GRUB has an entry that cannot be named: {best[:80]!r}")
    return best


def entries(text: str) -> list[tuple[str, str]]:
    """Id and kernel release of each entry that starts one, in the order of the menu."""
    found: list[tuple[str, str]] = []
    open_ids: list[str] = []
    for line in text.splitlines():
        if match := _OPENS.match(line):
            open_ids.append(match[2])
        elif open_ids and line.strip() == "}":
            open_ids.pop()
        elif open_ids and (match := _LINUX.match(line)):
            found.append((">".join(open_ids), match[1]))
    return found

"""How the machine boots: the kernel's command line, and which kernel GRUB takes next.

Sources: Linux Documentation/admin-guide/kernel-parameters.rst, the GRUB manual ("Simple configuration", "The GRUB
environment block"), and Ubuntu's 10_linux, which puts the newest version first and knows GRUB_FLAVOUR_ORDER.
"""

from __future__ import annotations

import re

from diag.nodekit.kernels import Kernels, flavour, release_key
from diag.nodekit.machine import Machine
from diag.nodekit.release import release_values

CMDLINE = "/proc/cmdline"
GRUB_DEFAULTS = "/etc/default/grub"
GRUB_DROPINS = "/etc/default/grub.d"
GRUB_ENVIRONMENT = "/boot/grub/grubenv"
MAX_PARAMETERS = 200
MAX_VALUE = 1000
TO_INIT = "--"  # what stands behind it goes to the first process
WITHHELD = "(withheld)"
_PARAMETER = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_SECRET = re.compile(r"passw|secret|credential|token", re.IGNORECASE)


def boot_parameters(text: str) -> dict[str, str | list[str]]:
    """Parameters of a kernel command line: value, or the values of a repeated one in their order; empty for a flag.

    The first 200 are kept. What looks like a secret by its name is withheld.
    """
    found: dict[str, list[str]] = {}
    words = _PARAMETER.findall(text)
    cut = words.index(TO_INIT) if TO_INIT in words else len(words)
    for word in words[:cut][:MAX_PARAMETERS]:
        name, _, value = word.replace('"', "").partition("=")
        shown = WITHHELD if _SECRET.search(name) else value[:MAX_VALUE]
        found.setdefault(name[:120] or "=", []).append(shown)
    if cut < len(words):
        found[TO_INIT] = [word[:MAX_VALUE] for word in words[cut + 1 :][:MAX_PARAMETERS]]
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def grub_settings(machine: Machine) -> dict[str, str]:
    """/etc/default/grub and its drop-ins, of which the last one wins; raises OSError for what cannot be read."""
    dropins = [name for name in machine.names(GRUB_DROPINS) if name.endswith(".cfg")]
    paths = [GRUB_DEFAULTS, *(f"{GRUB_DROPINS}/{name}" for name in dropins)]
    settings: dict[str, str] = {}
    for path in paths:
        settings |= release_values(machine.read_or_none(path) or "")
    return settings


def next_kernel(found: Kernels, settings: dict[str, str], environment: dict[str, str]) -> tuple[str | None, str]:
    """The kernel that the next boot takes as far as files tell, and what says so.

    None where an entry is chosen in a way that names no installed kernel, such as by a number in the menu.
    """
    if environment.get("next_entry"):
        return _named(found, environment["next_entry"]), "grubenv next_entry"
    chosen = settings.get("GRUB_DEFAULT", "0")
    if chosen == "saved" and environment.get("saved_entry", "0") != "0":
        return _named(found, environment["saved_entry"]), "grubenv saved_entry"
    if chosen not in ("0", "saved"):
        return _named(found, chosen), "GRUB_DEFAULT"
    for wanted in settings.get("GRUB_FLAVOUR_ORDER", "").split():
        same = [release for release in found.images if flavour(release) == wanted]
        if same:
            return max(same, key=release_key), "GRUB_FLAVOUR_ORDER"
    return max(found.images, key=lambda release: _rank(found, release), default=None), "newest"


def _named(found: Kernels, entry: str) -> str | None:
    """The longest installed release that an entry's title or id holds."""
    named = [release for release in found.images if re.search(rf"(?<![\w.]){re.escape(release)}(?!\w)", entry)]
    return max(named, key=len, default=None)


def _rank(found: Kernels, release: str) -> tuple[tuple[int, ...], bool]:
    return release_key(release), flavour(release) == flavour(found.running)

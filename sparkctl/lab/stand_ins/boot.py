"""grub-reboot and grub-editenv of a simulated node."""

from pathlib import Path

from sparkctl.lab import node_state


def grub_reboot(folder: Path, arguments: list[str]) -> int:
    """The next boot takes this entry, and no other boot does."""
    with node_state.changing(folder) as state:
        state.next_entry = arguments[-1]
    return 0


def grub_editenv(folder: Path, arguments: list[str]) -> int:
    """`FILE unset next_entry`."""
    if arguments[1:] != ["unset", "next_entry"]:
        return 1
    with node_state.changing(folder) as state:
        state.next_entry = None
    return 0

"""Play a command of a simulated node: `play.py NAME FOLDER ARGUMENTS...`, as the scripts in the lab's `bin` do."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from sparkctl.lab.stand_ins import apt, boot, drive, firmware, machine, tpm, units

COMMANDS = {
    "systemd-run": units.systemd_run,
    "systemctl": units.systemctl,
    "mkdir": units.mkdir,
    "ln": units.ln,
    "rm": units.rm,
    "apt-get": apt.apt_get,
    "dpkg": apt.dpkg,
    "dpkg-query": apt.dpkg_query,
    "busctl": machine.busctl,
    "lslocks": machine.lslocks,
    "grub-reboot": boot.grub_reboot,
    "grub-editenv": boot.grub_editenv,
    "fwupdmgr": firmware.fwupdmgr,
    "nvme": drive.nvme,
    "python3": drive.python3,
    "tpm2_clear": tpm.tpm2_clear,
    "tpm2_getcap": tpm.tpm2_getcap,
}
"""Every command that a lab plays: each is given its node's folder and its arguments, and returns its exit status."""


def main(name: str, folder: Path, arguments: list[str]) -> int:
    """Play the command; returns its exit status."""
    return COMMANDS[name](folder, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))

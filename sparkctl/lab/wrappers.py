"""The programs that stand first in a simulated node's PATH: a `python3` that reads the node's tree, and a `sudo`."""

import shlex
import sys
from pathlib import Path

from sparkctl.lab.stand_ins.play import COMMANDS

MARK = "SPARKCTL_LAB"  # in the environment of every child: the folder of its lab
NODE_MARK = "SPARKCTL_LAB_NODE"  # in that of what acts on a node: the node's folder
ACTS = "acts"  # where these folders lie
STAND_INS = "SPARKCTL_LAB_ACTS"  # in that of a visitor: the node's folder, as `diag/nodekit/acting.py` wants it
OLD_VERSION = (3, 8, 10)

_PYTHON = """#!/bin/sh
# Simulated node: the real interpreter, told to look at the node's tree.
exec {python} "$@" --root "$SPARKCTL_LAB_TREE"
"""
_OLD_PYTHON = """#!/bin/sh
# Simulated node with Python {version}: what is asked for runs under a version number that says so.
case "$1" in --version|-V) echo "Python {version}"; exit 0;; esac
while [ "$1" != -c ] && [ $# -gt 0 ]; do shift; done
shift
exec {python} -I -S {imitation} "$@"
"""
_IMITATION = """import sys
sys.version_info = {numbers}
sys.version = "{version} (default, simulated)"
text = sys.argv[1]
sys.argv = ["-c", *sys.argv[2:]]
exec(compile(text, "<string>", "exec"), {{"__name__": "__main__"}})
"""
_SUDO = """#!/bin/sh
# Simulated sudo: root of a simulated node sees the same tree with nothing denied.
if [ "$SPARKCTL_LAB_SUDO" != granted ]; then echo "sudo: a password is required" >&2; exit 1; fi
while [ "${1#-}" != "$1" ]; do shift; done
SPARKCTL_LAB_TREE=$SPARKCTL_LAB_ROOT_TREE
export SPARKCTL_LAB_TREE
exec "$@"
"""
_SUDO_WITHOUT = """#!/bin/sh
echo "sudo: python3: command not found" >&2
exit 1
"""

_STAND_IN = """#!/bin/sh
# Simulated node: a command that an act needs, played by the lab.
node=${{0%/bin/*}}
exec env {mark}={directory} {node_mark}="$node" {python} -I -S {play} "${{0##*/}}" "$node" "$@"
"""


def write_wrappers(directory: Path) -> None:
    """Write the wrappers of a lab; raises OSError."""
    python, version = shlex.quote(sys.executable), ".".join(map(str, OLD_VERSION))
    imitation = directory / "bin" / "old_python.py"
    imitation.parent.mkdir(exist_ok=True)
    imitation.write_text(_IMITATION.format(numbers=OLD_VERSION, version=version), "utf-8")
    old = _OLD_PYTHON.format(python=python, version=version, imitation=shlex.quote(str(imitation)))
    for folder, programs in (
        ("usual", {"python3": _PYTHON.format(python=python), "sudo": _SUDO}),
        ("old", {"python3": old, "sudo": _SUDO}),
        ("bare", {"sudo": _SUDO_WITHOUT}),
    ):
        for name, text in programs.items():
            place = directory / "bin" / folder / name
            place.parent.mkdir(exist_ok=True)
            place.write_text(text, "utf-8")
            place.chmod(0o755)
    _write_stand_ins(directory)


def _write_stand_ins(directory: Path) -> None:
    """One script for each command that acts need; each node has a link to their folder, which tells it who it is."""
    place = directory / "bin" / "acts"
    place.mkdir(exist_ok=True)
    play = Path(__file__).parent / "stand_ins" / "play.py"
    text = _STAND_IN.format(
        mark=MARK, node_mark=NODE_MARK, directory=shlex.quote(str(directory)), python=shlex.quote(sys.executable),
        play=shlex.quote(str(play)),
    )  # fmt: skip
    for name in COMMANDS:
        (place / name).write_text(text, "utf-8")
        (place / name).chmod(0o755)


def folder_of(directory: Path, behaviour: str) -> Path:
    """The folder of wrappers for a behaviour."""
    return directory / "bin" / {"old-python": "old", "no-python": "bare"}.get(behaviour, "usual")

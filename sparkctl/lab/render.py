"""From the model of a node to its whole tree."""

from sparkctl.lab.facts_identity import add_identity
from sparkctl.lab.files_bus import add_bus
from sparkctl.lab.files_etc import add_etc
from sparkctl.lab.files_proc import add_proc
from sparkctl.lab.files_sys import SERIALS, add_sys
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.recordings import add_recordings
from sparkctl.lab.recordings_gpu import add_gpu_recordings
from sparkctl.lab.tree import Tree

USER_ID = 1000


def render(node: NodeModel) -> Tree:
    """Every file and every command output of a node, as an ordinary user of it sees them."""
    tree = Tree()
    for add in (add_proc, add_sys, add_bus, add_etc, add_recordings, add_gpu_recordings, add_identity):
        add(tree, node)
    tree.pipes += node.hanging
    if not node.sudo:
        tree.refuse_sudo()
    tree.facts = {
        "simulated": True,
        "euid": USER_ID,
        "denied": [*(f"/sys/class/dmi/id/{name}" for name in SERIALS), "/sys/fs/pstore"],
    }
    if node.clock.shows is not None:
        tree.facts["now"] = node.clock.shows
    return tree

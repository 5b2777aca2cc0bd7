"""From the model of a node to its whole tree."""

from sparkctl.lab.artefacts_hardware import add_hardware_artefacts
from sparkctl.lab.artefacts_moment import add_moment
from sparkctl.lab.artefacts_network import add_network_artefacts
from sparkctl.lab.artefacts_system import add_system
from sparkctl.lab.facts_drivers import add_drivers
from sparkctl.lab.facts_firmware import ESRT_FILES, add_firmware
from sparkctl.lab.facts_hardware import add_hardware
from sparkctl.lab.facts_identity import add_identity
from sparkctl.lab.facts_network import add_network
from sparkctl.lab.facts_os import add_os
from sparkctl.lab.facts_ota import add_ota
from sparkctl.lab.facts_readiness import READ_AT, add_readiness
from sparkctl.lab.facts_security import DENIED, add_security
from sparkctl.lab.facts_software import add_software
from sparkctl.lab.facts_storage import add_storage
from sparkctl.lab.files_bus import add_bus
from sparkctl.lab.files_etc import add_etc
from sparkctl.lab.files_proc import add_proc
from sparkctl.lab.files_sys import SERIALS, add_sys
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.plain_vm import become_plain_vm
from sparkctl.lab.planted import plant, with_secrets
from sparkctl.lab.recordings import add_recordings
from sparkctl.lab.recordings_gpu import add_gpu_recordings
from sparkctl.lab.reports import add_reports
from sparkctl.lab.reset_render import add_past
from sparkctl.lab.reset_stories import past_of
from sparkctl.lab.tree import Tree

USER_ID = 1000
ADDERS = (
    add_proc, add_sys, add_bus, add_etc, add_recordings, add_gpu_recordings, add_identity,
    add_firmware, add_os, add_ota, add_drivers, add_software, add_security,
    add_hardware, add_network, add_storage, add_readiness,
    add_moment, add_system, add_network_artefacts, add_hardware_artefacts,
)  # fmt: skip


def render(node: NodeModel, now: float = READ_AT.timestamp()) -> Tree:
    """Every file and every command output of a node, as an ordinary user of it sees them at `now`.

    `now` is in seconds since 1970; what the node's past left behind is dated back from there.
    """
    tree = Tree()
    for add in ADDERS:
        add(tree, node)
    past = with_secrets(past_of(node), node) if node.secrets else past_of(node)
    private = add_past(tree, node, past, now if node.clock.shows is None else node.clock.shows)
    if node.secrets:
        plant(tree, node)
    add_reports(tree, node)
    if node.plain_vm:
        become_plain_vm(tree, node)
    tree.pipes += node.hanging
    if not node.sudo:
        tree.refuse_sudo()
    tree.facts = {
        "simulated": True,
        "euid": USER_ID,
        "denied": [
            *(f"/sys/class/dmi/id/{name}" for name in SERIALS),
            "/sys/fs/pstore",
            *ESRT_FILES,
            *DENIED,
            *private,
        ],
    }
    if node.clock.shows is not None:
        tree.facts["now"] = node.clock.shows
    return tree

"""What the identity facet of a simulated node needs beyond what the checks read."""

from sparkctl.lab.files_sys import SERIALS
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

EK_NAME = ("/usr/bin/tpm2_readpublic", "-c", "0x81010001")


def add_identity(tree: Tree, node: NodeModel) -> None:
    """The serials as sudo hands them out, and the name of the TPM's endorsement key."""
    for name in SERIALS:
        content = tree.files[f"/sys/devices/virtual/dmi/id/{name}"]
        argv = ("/usr/bin/cat", f"/sys/class/dmi/id/{name}")
        if not any(entry["argv"] == list(argv) for entry in tree.commands):
            tree.record_for_root(argv, content if isinstance(content, str) else content.decode())
    tree.record_for_root(EK_NAME, f"name: 000b{node.material('endorsement', 32).hex()}\nname-alg:\n  value: sha256\n")

"""What the storage facet of a simulated node needs beyond what the checks read."""

from uuid import UUID

from sparkctl.lab.files_sys import NVME_FOLDER
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

SECTOR = 512
START = 2048  # sectors before the first partition
ESP_SECTORS = 512 * 2**20 // SECTOR
ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"
NUMBERS = (259, 0)  # major and first minor of the drive


def add_storage(tree: Tree, node: NodeModel) -> None:
    """The partitions of the drive, udev's records of them, and the format of the namespace."""
    if node.drive.state == "gone":
        return
    disk = f"{NVME_FOLDER}/nvme0n1"
    wwid = f"eui.{node.material('eui', 8).hex()}"
    tree.put(disk, dev=f"{NUMBERS[0]}:{NUMBERS[1]}", nsid=1, metadata_bytes=0, wwid=wwid)
    tree.put(f"{disk}/queue", physical_block_size=512)
    tree.links[f"{disk}/device"] = "../../nvme0"
    tree.links[f"{NVME_FOLDER}/subsystem"] = "/sys/class/nvme"
    tree.put("/run/udev/data", **{f"b{NUMBERS[0]}:{NUMBERS[1]}": "E:ID_PART_TABLE_TYPE=gpt"})
    root = node.make.drive.size // SECTOR - START - ESP_SECTORS - START
    esp_label, esp_uuid = r"EFI\x20System\x20Partition", node.material("esp", 4).hex().upper()
    _partition(tree, node, 1, (START, ESP_SECTORS), (ESP_TYPE, esp_label, "vfat", f"{esp_uuid[:4]}-{esp_uuid[4:]}"))
    linux = (LINUX_TYPE, "", "ext4", node.filesystem_uuid)
    _partition(tree, node, 2, (START + ESP_SECTORS, root), linux)
    tree.put("/sys/module/zswap/parameters", enabled="N")


def _partition(
    tree: Tree, node: NodeModel, number: int, place: tuple[int, int], content: tuple[str, str, str, str]
) -> None:
    here = f"{NVME_FOLDER}/nvme0n1/nvme0n1p{number}"
    device = f"{NUMBERS[0]}:{NUMBERS[1] + number}"
    tree.put(here, partition=number, start=place[0], size=place[1], dev=device)
    kind, label, file_system, uuid = content
    known = {
        "ID_PART_ENTRY_NAME": label,
        "ID_PART_ENTRY_TYPE": kind,
        "ID_PART_ENTRY_UUID": str(UUID(bytes=node.material(f"partition {number}", 16), version=4)),
        "ID_FS_TYPE": file_system,
        "ID_FS_UUID": uuid,
    }
    rows = "".join(f"E:{key}={value}\n" for key, value in known.items() if value)
    tree.files[f"/run/udev/data/b{device}"] = f"I:1234567\n{rows}"

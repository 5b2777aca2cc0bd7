"""What the facet of the operating system needs of a simulated node beyond what the checks read."""

from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

SYSTEMD_VERSION = ("systemctl", "--version")
TIME_SERVICES = (
    "systemctl", "show", "--property=Id,ActiveState", "systemd-timesyncd.service", "chrony.service", "ntpsec.service",
    "ntp.service",
)  # fmt: skip


def add_os(tree: Tree, node: NodeModel) -> None:
    """The boot loader's settings, the zone and language, and what systemd says of itself."""
    tree.put("/proc/sys/kernel", arch="aarch64")
    tree.files["/etc/default/grub"] = 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n'
    tree.files["/etc/default/grub.d/hugepages.cfg"] = "# simulated\n"
    chosen = f"next_entry={node.next_entry}\n" if node.next_entry else ""
    tree.files["/boot/grub/grubenv"] = f"# GRUB Environment Block\n{chosen}".ljust(1024, "#")
    tree.files["/usr/share/zoneinfo/Etc/UTC"] = "TZif2 (simulated)\n"
    tree.links["/etc/localtime"] = "/usr/share/zoneinfo/Etc/UTC"
    tree.files["/etc/locale.conf"] = "LANG=en_US.UTF-8\n"
    tree.files["/usr/lib/systemd/system/graphical.target"] = "[Unit]\nDescription=Graphical Interface\n"
    tree.links["/usr/lib/systemd/system/default.target"] = "graphical.target"
    tree.put("/sys/fs/cgroup", **{"cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc"})
    tree.record(SYSTEMD_VERSION, "systemd 255 (255.4-1ubuntu8.11)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK\n")
    states = {"systemd-timesyncd.service": "active" if node.clock.enabled else "inactive"}
    blocks = (f"Id={name}\nActiveState={states.get(name, 'inactive')}\n" for name in TIME_SERVICES[3:])
    tree.record(TIME_SERVICES, "\n".join(blocks))

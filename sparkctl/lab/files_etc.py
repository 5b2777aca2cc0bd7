"""/etc, /run, /var, /boot and /lib/modules of a simulated node."""

import base64

from sparkctl.lab.files_proc import root_options
from sparkctl.lab.node_model import IMAGE_PACKAGE, NodeModel
from sparkctl.lab.tree import Tree

DAY = 86400.0
NVIDIA = "https://repo.download.nvidia.com"
UBUNTU_KEYS, NVIDIA_KEYS = "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "/usr/share/keyrings/simulated-nvidia.asc"
KEYS = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nc2ltdWxhdGVkIGtleQ==\n-----END PGP PUBLIC KEY BLOCK-----\n"
"""No key, in the form of one, so that it is told whether redaction changes what a keyring is said to hold."""
SOURCES = {
    "ubuntu.sources": (
        "http://ports.ubuntu.com/ubuntu-ports/", "noble noble-updates noble-security", "main universe", UBUNTU_KEYS
    ),
    "dgx.sources": (f"{NVIDIA}/baseos/ubuntu/noble/arm64/", "noble noble-updates", "common dgx", NVIDIA_KEYS),
    "spark.sources": (f"{NVIDIA}/spark/ubuntu/arm64/", "noble-updates", "common", NVIDIA_KEYS),
}  # fmt: skip


def add_etc(tree: Tree, node: NodeModel) -> None:
    """Everything under /etc, /run, /var, /boot and /lib/modules."""
    _releases(tree, node)
    _names(tree, node)
    _host_keys(tree, node)
    _run(tree, node)
    _boot(tree, node)
    _var(tree, node)


def _releases(tree: Tree, node: NodeModel) -> None:
    tree.files["/etc/os-release"] = (
        'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION="24.04.3 LTS (Noble Numbat)"\n'
        "VERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n"
    )
    updates = "".join(f'\nDGX_OTA_VERSION="{version}"\nDGX_OTA_DATE="{date}"\n' for version, date in node.ota_versions)
    tree.files["/etc/dgx-release"] = (
        'DGX_NAME="DGX Spark"\nDGX_PRETTY_NAME="NVIDIA DGX Spark"\nDGX_SWBUILD_DATE="2025-09-10-13-50-03"\n'
        'DGX_SWBUILD_VERSION="7.2.3"\nDGX_COMMIT_ID="833b4a7"\nDGX_PLATFORM="DGX Server for KVM"\n'
        f'DGX_SERIAL_NUMBER="{node.serial}"\n{updates}'
    )
    tree.files["/etc/fastos-release"] = 'NAME="DGX SPARK FASTOS"\nVERSION="1.91.51"\n'
    for name, (uri, suites, components, keys) in SOURCES.items():
        tree.files[f"/etc/apt/sources.list.d/{name}"] = (
            f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: {components}\nSigned-By: {keys}\n"
        )
        tree.files[keys] = KEYS


def _names(tree: Tree, node: NodeModel) -> None:
    tree.files["/etc/machine-id"] = f"{node.machine_id}\n"
    tree.files["/etc/hostname"] = f"{node.name}\n"
    tree.files["/etc/resolv.conf"] = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.net\n"
    tree.files["/run/systemd/resolve/resolv.conf"] = "nameserver 192.0.2.53\nsearch example.net\n"
    tree.files["/etc/hosts"] = f"127.0.0.1 localhost\n127.0.1.1 {node.name}\n"
    wanted = root_options(node).replace("ro,", "").replace("rw,", "")
    installed = (
        f"UUID={node.filesystem_uuid} / ext4 {wanted} 0 1\n"
        "/dev/nvme0n1p1 /boot/efi vfat umask=0077 0 1\n/swap.img none swap sw 0 0\n"
    )
    tree.files["/etc/fstab"] = (
        "# <file system> <mount point> <type> <options> <dump> <pass>\n"
        f"{'overlay / overlay rw 0 0' if node.live else installed.rstrip()}\n"
    )


def _host_keys(tree: Tree, node: NodeModel) -> None:
    """Keys in the right form; they are scenery and not the keys of the lab's own SSH server."""
    ed25519 = _blob(b"ssh-ed25519", node.material("ed25519", 32))
    ecdsa = _blob(b"ecdsa-sha2-nistp256", b"nistp256", b"\x04" + node.material("ecdsa", 64))
    modulus = b"\x00" + bytes([node.material("rsa", 1)[0] | 0x80]) + node.material("modulus", 383)
    rsa = _blob(b"ssh-rsa", b"\x01\x00\x01", modulus)
    for kind, algorithm, blob in (
        ("ed25519", "ssh-ed25519", ed25519),
        ("ecdsa", "ecdsa-sha2-nistp256", ecdsa),
        ("rsa", "ssh-rsa", rsa),
    ):
        tree.files[f"/etc/ssh/ssh_host_{kind}_key.pub"] = f"{algorithm} {blob} root@{node.name}\n"


def _blob(*parts: bytes) -> str:
    return base64.b64encode(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).decode("ascii")


def _run(tree: Tree, node: NodeModel) -> None:
    tree.folders += ["/run/systemd/system", "/run/cloud-init"]
    tree.files["/run/cloud-init/result.json"] = '{"v1": {"datasource": "DataSourceNone", "errors": []}}\n'
    if node.clock.synchronised:
        tree.files["/run/systemd/timesync/synchronized"] = ""
    if node.reboot_packages:
        tree.files["/run/reboot-required"] = "*** System restart required ***\n"
        tree.files["/run/reboot-required.pkgs"] = "".join(f"{name}\n" for name in node.reboot_packages)
        age = (41 if node.newer_kernel else 0) * DAY
        tree.ages |= {"/run/reboot-required": age, "/run/reboot-required.pkgs": age}


def _boot(tree: Tree, node: NodeModel) -> None:
    for release in node.kernels:
        for name in (f"vmlinuz-{release}", f"initrd.img-{release}", f"config-{release}"):
            tree.files[f"/boot/{name}"] = "simulated\n"
        index = f"/lib/modules/{release}/modules.dep"
        driver = "kernel/nvidia-580-open/nvidia.ko.zst:\n" if node.driver is not None else ""
        tree.files[index] = f"kernel/drivers/nvme/host/nvme.ko.zst:\n{driver}"
        days = 0 if f"{IMAGE_PACKAGE}{release}" in dict(node.upgraded) else 41 if release == node.newer_kernel else 200
        tree.ages[index] = days * DAY
    tree.folders.append("/boot/efi")


def _var(tree: Tree, node: NodeModel) -> None:
    tree.folders += ["/var/lib/systemd/pstore", "/var/crash", "/var/log/journal", "/var/log/apt"]
    tree.files["/var/log/dpkg.log"] = "2026-02-12 09:13:40 startup archives unpack\n"
    for name in node.crash_records:
        path = f"/var/lib/systemd/pstore/{name}"
        tree.files[path] = "Oops#1 Part1\n<1>[ 5123.4] Unable to handle kernel paging request (simulated)\n"
        tree.ages[path] = 2 * DAY

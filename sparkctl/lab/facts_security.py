"""What the security facet needs of a simulated node beyond what the checks read."""

from ipaddress import IPv4Address

from sparkctl.lab.devices import ETHERNET, ports
from sparkctl.lab.files_sys import NVME_FOLDER
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

SUDOERS = "/etc/sudoers.d"
SSHD_DROPIN = "/etc/ssh/sshd_config.d/50-cloud-init.conf"
DENIED = (SUDOERS, SSHD_DROPIN)
"""What only root may read."""
SSHD_EFFECTIVE = ("/usr/sbin/sshd", "-T")
LIST_SUDOERS = ("/usr/bin/ls", "-1", SUDOERS)
ROOT_PASSWORD = ("/usr/bin/passwd", "-S", "root")
SS = ("/usr/bin/ss", "-H", "-lntup")
LIST_CHAINS = ("/usr/sbin/nft", "list", "chains")
ANY = str(IPv4Address(0))
TABLE_HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
# Protocol, address, port, uid, program; the address is one of IPv6 where it has a colon.
OPEN = (
    ("tcp", ANY, 22, 0, "sshd"),
    ("tcp", "::", 22, 0, "sshd"),
    ("tcp", "127.0.0.53", 53, 992, "systemd-resolve"),
    ("tcp", "127.0.0.1", 11000, 0, "dashboard-servi"),
    ("udp", "127.0.0.53", 53, 992, "systemd-resolve"),
    ("udp", ANY, 5353, 117, "avahi-daemon"),
    ("udp", ANY, 41641, 117, "avahi-daemon"),
)
VULNERABILITIES = {
    "gather_data_sampling": "Not affected",
    "meltdown": "Not affected",
    "spec_store_bypass": "Mitigation: Speculative Store Bypass disabled via prctl",
    "spectre_v1": "Mitigation: __user pointer sanitization",
    "spectre_v2": "Not affected",
}
SYSCTLS: dict[str, dict[str, object]] = {
    "/proc/sys/kernel": {
        "kptr_restrict": 1, "apparmor_restrict_unprivileged_userns": 1, "unprivileged_userns_clone": 1,
        "unprivileged_bpf_disabled": 2, "randomize_va_space": 2, "perf_event_paranoid": 4, "kexec_load_disabled": 0,
        "modules_disabled": 0, "sysrq": 176,
    },
    "/proc/sys/kernel/yama": {"ptrace_scope": 1},
    "/proc/sys/fs": {"protected_hardlinks": 1, "protected_symlinks": 1, "suid_dumpable": 2},
    "/proc/sys/net/ipv4": {"ip_forward": 1, "tcp_syncookies": 1, "ip_local_port_range": "32768\t60999"},
    "/proc/sys/net/ipv4/conf/all": {"rp_filter": 2, "accept_redirects": 1},
    "/proc/sys/net/ipv6/conf/all": {"forwarding": 0},
}  # fmt: skip


def add_security(tree: Tree, node: NodeModel) -> None:
    """Kernel, users, SSH, ports and the firewall of a node as the factory leaves it."""
    _kernel(tree, node)
    _users(tree)
    _ssh(tree)
    _ports(tree, node)
    _firewall(tree)


def _kernel(tree: Tree, node: NodeModel) -> None:
    tree.put(
        "/sys/kernel/security",
        lockdown="none [integrity] confidentiality",
        lsm="lockdown,capability,landlock,yama,apparmor",
    )
    tree.folders.append("/sys/kernel/security/ima")
    tree.put("/sys/module/apparmor/parameters", enabled="Y")
    tree.put("/sys/module/module/parameters", sig_enforce="N")
    tree.folders.append("/sys/module/nf_tables")
    tree.put("/sys/devices/system/cpu/vulnerabilities", **VULNERABILITIES)
    for folder, values in SYSCTLS.items():
        tree.put(folder, **values)
    if node.drive.state != "gone":
        part = f"{NVME_FOLDER}/nvme0n1/nvme0n1p2"
        tree.put(part, partition=2)
        tree.links["/sys/class/block/nvme0n1p2"] = f"../../{part.removeprefix('/sys/')}"


def _users(tree: Tree) -> None:
    tree.files["/etc/passwd"] = (
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
        "sync:x:4:65534:sync:/bin:/bin/sync\nsystemd-resolve:x:992:992::/:/usr/sbin/nologin\n"
        "avahi:x:117:124:Avahi:/run/avahi-daemon:/usr/sbin/nologin\nops:x:1000:1000:Simulated:/home/ops:/bin/bash\n"
    )
    tree.files["/etc/group"] = "root:x:0:\nsudo:x:27:ops\ndocker:x:988:ops\nops:x:1000:\n"
    for name in ("README", "90-site"):
        tree.files[f"{SUDOERS}/{name}"] = "# simulated\n"
    tree.record_for_root(LIST_SUDOERS, "90-site\nREADME\n")
    tree.record_for_root(ROOT_PASSWORD, "root L 2025-09-10 0 99999 7 -1\n")


def _ssh(tree: Tree) -> None:
    tree.files["/etc/ssh/sshd_config"] = (
        "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\n"
        "PrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
    )
    tree.files[SSHD_DROPIN] = "PasswordAuthentication no\n"
    tree.record_for_root(
        SSHD_EFFECTIVE,
        "port 22\naddressfamily any\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\nusepam yes\nlogingracetime 120\n"
        "maxauthtries 6\npermitrootlogin without-password\npubkeyauthentication yes\npasswordauthentication no\n"
        "kbdinteractiveauthentication no\npermitemptypasswords no\nx11forwarding yes\nallowtcpforwarding yes\n",
    )


def _ports(tree: Tree, node: NodeModel) -> None:
    # Established connections are there too, so that only what waits is taken for open.
    mine = next(port.ip for port in ports(node) if port.name == ETHERNET) or "127.0.0.1"
    rows: dict[str, list[str]] = {
        "tcp": [_row(mine, 22, 0, "01")],
        "tcp6": [],
        "udp": [_row(mine, 68, 998, "01")],
        "udp6": [],
    }
    told = []
    for protocol, address, port, uid, program in OPEN:
        wide = ":" in address
        rows[protocol + ("6" if wide else "")].append(_row(address, port, uid, "0A" if protocol == "tcp" else "07"))
        shown = f"[{address}]" if wide else address
        state = "LISTEN" if protocol == "tcp" else "UNCONN"
        told.append(f'{protocol}   {state} 0      4096    {shown}:{port}   *:*    users:(("{program}",pid=912,fd=3))\n')
    for name, lines in rows.items():
        tree.files[f"/proc/net/{name}"] = "\n".join([TABLE_HEADER, *lines, ""])
    tree.record_for_root(SS, "".join(told))


def _row(address: str, port: int, uid: int, state: str) -> str:
    packed = b"".join(int(part).to_bytes(1, "big") for part in address.split(".")) if "." in address else bytes(16)
    words = "".join(packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))
    peer = "0" * len(words)
    return (
        f"   0: {words}:{port:04X} {peer}:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:5d}        0 18231"
    )


def _firewall(tree: Tree) -> None:
    tree.files["/etc/ufw/ufw.conf"] = "# simulated\nENABLED=no\nLOGLEVEL=low\n"
    tree.files["/etc/default/ufw"] = 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\n'
    tree.record_for_root(
        LIST_CHAINS,
        "table ip nat {\n\tchain DOCKER {\n\t}\n\tchain PREROUTING {\n"
        "\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t}\n}\n"
        "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n",
    )

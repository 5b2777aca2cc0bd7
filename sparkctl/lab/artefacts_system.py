"""The system of a simulated node for its bundle: units, packages, containers, boot, release, clock."""

import json
from uuid import UUID

from sparkctl.lab.facts_security import SYSCTLS
from sparkctl.lab.facts_software import IMAGES, REMOVED, installed_packages
from sparkctl.lab.files_etc import SOURCES
from sparkctl.lab.files_proc import SNAPS, command_line
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_lines import SERVICES
from sparkctl.lab.tree import Tree

PACKAGES = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${binary:Package} ${Version}\\n")
POLICY = ("apt-cache", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "policy")
SETTINGS = (
    "/usr/bin/find", "/var/lib/docker/containers", "-mindepth", "2", "-maxdepth", "2", "-name", "config.v2.json",
    "-size", "-256k", "-exec", "/usr/bin/grep", "-h", "-a", ".", "{}", "+",
)  # fmt: skip
CRONTABS = (
    "/usr/bin/find", "/var/spool/cron/crontabs", "-type", "f", "-size", "-64k", "-exec", "/usr/bin/tail", "-v", "-n",
    "+1", "{}", "+",
)  # fmt: skip
WITHOUT_KEYS = (
    "^(debug|dev|fs|kernel|user|vm|net[.](core[.]([a-mo-z]|netdev_[a-qs-z])|netfilter|unix"
    "|ipv4[.]([a-su-z]|tcp_[a-eg-z])))"
)
SYSCTL = ("/usr/sbin/sysctl", "--all", "--pattern", WITHOUT_KEYS)
WATCHED = ("dgx-dashboard", "dgx-dashboard-admin", "nvidia-persistenced", "nvidia-sync", "docker", "containerd")
SPENT = "Startup finished in 11.204s (firmware) + 2.118s (loader) + 4.706s (kernel) + 15.331s (userspace) = 33.359s"


def add_system(tree: Tree, node: NodeModel) -> None:
    """Units, packages, containers, the start of the machine, its release and its clock."""
    _units(tree, node)
    _packages(tree, node)
    _containers(tree, node)
    _start(tree, node)
    _settings(tree, node)
    _installation(tree, node)


def _units(tree: Tree, node: NodeModel) -> None:
    failed = dict(node.failed_units)
    states = {unit: "failed failed" if unit in failed else "active running" for unit, _ in SERVICES}
    rows = [f"{unit} loaded {states[unit]} {words}\n" for unit, words in SERVICES]
    tree.record(("systemctl", "list-units", "--all", "--plain", "--no-legend", "--full"), "".join(rows))
    files = "".join(f"{unit} enabled enabled\n" for unit, _ in SERVICES) + "site-metrics.service enabled enabled\n"
    tree.record(("systemctl", "list-unit-files", "--plain", "--no-legend", "--full"), files)
    status = ("systemctl", "status", "--no-pager", "--full", "--lines=0", *(f"{name}.service" for name in WATCHED))
    blocks = [
        f"* {name}.service\n     Loaded: loaded (simulated; enabled)\n"
        f"     Active: {states.get(f'{name}.service', 'active running').partition(' ')[0]}\n"
        for name in WATCHED
    ]
    tree.record(status, "\n".join(blocks), rc=3 if failed else 0)
    tree.record(("systemd-analyze", "time"), f"{SPENT}\ngraphical.target reached after 15.331s in userspace.\n")
    tree.record(
        ("systemd-analyze", "blame", "--no-pager"), "6.204s docker.service\n4.118s NetworkManager-wait-online.service\n"
    )
    tree.record(
        ("systemd-analyze", "critical-chain", "--no-pager"),
        "graphical.target @15.331s\n└─multi-user.target @15.330s\n  └─docker.service @9.126s +6.204s\n",
    )


def _packages(tree: Tree, node: NodeModel) -> None:
    rows = [f"ii  {name} {version}\n" for name, version in sorted(installed_packages(node).items())]
    tree.record(PACKAGES, "".join([*rows, *(f"rc  {name} {version}\n" for name, version in REMOVED.items())]))
    tree.record(("dpkg", "--audit"))
    sources = "".join(f" 500 {uri} {suites.split()[0]} arm64 Packages\n" for uri, suites, _, _ in SOURCES.values())
    tree.record(POLICY, f"Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n{sources}Pinned packages:\n")
    rows = [f"{name}  simulated  {revision}  latest/stable  canonical  -\n" for name, revision in SNAPS]
    tree.record(
        ("snap", "list", "--all", "--color=never", "--unicode=never"),
        "Name Version Rev Tracking Publisher Notes\n" + "".join(rows),
    )
    tree.record(
        ("snap", "changes"),
        'ID   Status  Spawn  Ready  Summary\n2    Done    today  today  Auto-refresh snap "firefox"\n',
    )


def _containers(tree: Tree, node: NodeModel) -> None:
    tree.files["/etc/docker/daemon.json"] = (
        json.dumps(
            {"runtimes": {"nvidia": {"path": "nvidia-container-runtime", "args": []}}, "log-opts": {"max-size": "100m"}}
        )
        + "\n"
    )
    tree.files["/etc/nvidia-container-runtime/config.toml"] = '# simulated\n[nvidia-container-runtime]\nmode = "auto"\n'
    tree.record_for_root(SETTINGS, json.dumps(container_settings(node)) + "\n")


def container_settings(node: NodeModel) -> dict[str, object]:
    """A container as Docker keeps it, in part."""
    return {
        "ID": node.material("container", 32).hex(),
        "Name": "/vllm",
        "Created": "2026-03-01T08:00:00Z",
        "State": {"Running": bool(node.gpu.processes), "OOMKilled": node.memory.oom_kills > 0},
        "Config": {
            "Hostname": node.material("container", 6).hex(),
            "Image": ":".join(IMAGES[0]),
            "Env": ["PATH=/usr/local/bin:/usr/bin", "NVIDIA_VISIBLE_DEVICES=all", "SIMULATED=1"],
            "Cmd": ["vllm", "serve", "/models/simulated"],
            "Labels": {"com.example.team": "simulated"},
        },
        "MountPoints": {"/models": {"Source": "/home/ops/models", "RW": False}},
    }


def _start(tree: Tree, node: NodeModel) -> None:
    words = command_line(node).removeprefix("BOOT_IMAGE=")
    tree.files["/boot/grub/grub.cfg"] = _menu(node, words)
    listed = [
        f"-rw-r--r-- 1 root root 58720256 Mar 18 10:00 {name}-{release}\n"
        for release in node.kernels
        for name in ("vmlinuz", "initrd.img", "config")
    ]
    tree.record(("ls", "-l", "/boot"), "total 229376\n" + "".join(listed))
    esp = UUID(bytes=node.material("partition 1", 16), version=4)
    tree.record(
        ("efibootmgr", "--verbose"),
        "BootCurrent: 0001\nTimeout: 1 seconds\nBootOrder: 0001,0000\n"
        f"Boot0000* UEFI PXE (simulated)\tMAC({node.mac(1).replace(':', '')},0)/IPv4(0.0.0.0)\n"
        f"Boot0001* ubuntu\tHD(1,GPT,{esp},0x800,0x100000)/File(\\EFI\\ubuntu\\shimaa64.efi)\n",
    )
    tree.record(("mokutil", "--list-enrolled"), "[key 1]\nSubject: CN=Simulated Secure Boot Signing\n")
    tree.record(("dkms", "status"))  # the driver's modules come ready made


def _menu(node: NodeModel, words: str) -> str:
    """As Ubuntu's 10_linux writes it: an entry for the newest kernel, and a menu with one for each."""
    root = node.filesystem_uuid
    newest = node.kernels[-1]
    first = _entry("Ubuntu", f"gnulinux-simple-{root}", newest, words.replace(node.kernel, newest))
    rest = "".join(
        _entry(f"Ubuntu, with Linux {one}", f"gnulinux-{one}-advanced-{root}", one, words.replace(node.kernel, one))
        for one in reversed(node.kernels)
    )
    head = f"submenu 'Advanced options for Ubuntu' $menuentry_id_option 'gnulinux-advanced-{root}' {{\n"
    return f"{first}{head}{rest}}}\n"


def _entry(title: str, entry_id: str, release: str, words: str) -> str:
    return (
        f"menuentry '{title}' --class ubuntu --class os $menuentry_id_option '{entry_id}' {{\n"
        f"\tlinux {words}\n\tinitrd /boot/initrd.img-{release}\n}}\n"
    )


def _settings(tree: Tree, node: NodeModel) -> None:
    values = {
        f"{folder[10:].replace('/', '.')}.{name}": value
        for folder, names in SYSCTLS.items()
        for name, value in names.items()
        if "ipv6" not in folder
    }
    values |= {"kernel.hostname": node.name, "kernel.osrelease": node.kernel, "vm.swappiness": 60}
    tree.record(SYSCTL, "".join(f"{name} = {value}\n" for name, value in sorted(values.items())))
    tree.record_for_root(
        ("/usr/bin/cat", "/proc/iomem"), "80000000-1fffffffff : System RAM\n  81000000-82ffffff : Kernel code\n"
    )
    tree.files["/proc/self/mountinfo"] = "".join(
        f"{20 + at} 1 0:{at} / {row.split()[1]} {row.split()[3]} - {row.split()[2]} {row.split()[0]} {row.split()[3]}\n"
        for at, row in enumerate(str(tree.files["/proc/mounts"]).splitlines())
    )
    tree.files["/etc/crontab"] = "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"
    tree.record_for_root(CRONTABS, "==> /var/spool/cron/crontabs/ops <==\n0 3 * * * /home/ops/bin/rotate-models\n")
    tree.files["/etc/systemd/timesyncd.conf"] = "[Time]\nNTP=ntp.example.net\n"
    tree.files["/etc/modprobe.d/nvidia.conf"] = "options nvidia NVreg_PreserveVideoMemoryAllocations=1\n"
    tree.record(
        ("hostnamectl", "status"),
        f" Static hostname: {node.name}\n         Chassis: desktop\n      Machine ID: {node.machine_id}\n"
        f"         Boot ID: {node.boot_id.replace('-', '')}\nOperating System: Ubuntu 24.04.3 LTS\n"
        f"          Kernel: Linux {node.kernel}\n    Architecture: arm64\n"
        f" Hardware Vendor: {node.make.dmi['sys_vendor']}\n  Hardware Model: {node.make.dmi['product_name']}\n",
    )
    synchronised = "yes" if node.clock.synchronised else "no"
    active = "active" if node.clock.enabled else "inactive"
    tree.record(
        ("timedatectl", "status", "--no-pager"),
        f"                Time zone: Etc/UTC (UTC, +0000)\nSystem clock synchronized: {synchronised}\n"
        f"              NTP service: {active}\n          RTC in local TZ: no\n",
    )


def _installation(tree: Tree, node: NodeModel) -> None:
    tree.files["/var/log/cloud-init.log"] = (
        f"2025-09-10 14:02:30,112 - util.py[DEBUG]: Cloud-init v. 25.1 running 'init' (simulated)\n"
        f"2025-09-10 14:02:31,004 - cc_set_hostname.py[DEBUG]: Setting the hostname to {node.name}\n"
    )
    tree.files["/var/log/apt/term.log"] = (
        "Log started: 2026-02-12  09:13:40\nSetting up linux-base (simulated) ...\nLog ended: 2026-02-12  09:15:42\n"
    )
    tree.record_for_root(
        ("/usr/bin/tail", "-c", "524289", "/var/log/apt/term.log"), str(tree.files["/var/log/apt/term.log"])
    )
    tree.record(
        ("find", "/var/crash", "-maxdepth", "2", "-ls"),
        "   131  4 drwxrwsrwt 2 root whoopsie 4096 Mar 18 10:00 /var/crash\n",
    )
    tree.record(("coredumpctl", "list", "--no-pager", "--quiet"), rc=1, stderr="No coredumps found.\n")

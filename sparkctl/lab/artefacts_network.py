"""The network of a simulated node for its bundle: interfaces, routes, sockets, settings, ConnectX-7, wireless."""

import json
from typing import Any

from sparkctl.lab.devices import CONNECTX_FIRMWARE, ETHERNET, WIRELESS, Port, ports
from sparkctl.lab.files_bus import GATEWAY
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

TAIL = ("-type", "f", "-size", "-64k", "-exec", "/usr/bin/tail", "-v", "-n", "+1", "{}", "+")
NETPLAN = ("/usr/bin/find", "/etc/netplan", *TAIL)
CONNECTIONS = ("/usr/bin/find", "/etc/NetworkManager/system-connections", *TAIL)
ROUTER = "02:51:ff:ff:00:01"
SSID, PSK = "Simulated-Lab", "simulated-passphrase"
WIRELESS_CONNECTION = "wireless.nmconnection"


def add_network_artefacts(tree: Tree, node: NodeModel) -> None:
    """What ip, ss, ethtool, nft, nmcli, iw, resolvectl, rdma and devlink print of this node's ports."""
    found = ports(node)
    _interfaces(tree, found)
    _routes(tree, found)
    _settings(tree, node, found)
    _wireless(tree)
    for port in found:
        _adapter(tree, port)
    if node.cabled is not None:
        _connectx(tree, node, found)


def _interfaces(tree: Tree, found: list[Port]) -> None:
    rows = [
        {
            "ifname": port.name, "flags": ["BROADCAST", "MULTICAST", "UP"], "mtu": port.mtu, "address": port.mac,
            "operstate": "UP" if port.up else "DOWN",
            "stats64": {"rx": {"packets": 67_000_000 if port.up else 0, "errors": 0}},
        }
        for port in found
    ]  # fmt: skip
    tree.record(("ip", "-j", "-s", "-s", "link", "show"), json.dumps(rows) + "\n")
    mine = next((port.ip for port in found if port.name == ETHERNET), None)
    tree.record(
        ("ss", "-H", "-O", "-a", "-n", "-t", "-u", "-m", "-i"),
        f"tcp LISTEN 0 4096 0.0.0.0:22 0.0.0.0:* skmem:(r0,rb131072,t0)\n"
        f"tcp ESTAB 0 36 {mine}:22 192.0.2.200:50514 skmem:(r0,rb131072,t0) cubic rtt:0.4/0.2\n",
    )


def _routes(tree: Tree, found: list[Port]) -> None:
    gateway: dict[str, Any] = {
        "dst": "default",
        "gateway": str(GATEWAY),
        "dev": ETHERNET,
        "protocol": "dhcp",
        "metric": 100,
    }
    local = [{"dst": port.ip, "dev": port.name, "table": "local", "type": "local"} for port in found if port.ip]
    for name, rows in (
        (("neighbour", "show"), [{"dst": str(GATEWAY), "dev": ETHERNET, "lladdr": ROUTER, "state": ["REACHABLE"]}]),
        (("route", "show", "table", "all"), [gateway, *local]),
        (("-6", "route", "show", "table", "all"), [{"dst": "fe80::/64", "dev": ETHERNET, "protocol": "kernel"}]),
        (
            ("rule", "show"),
            [{"priority": 0, "src": "all", "table": "local"}, {"priority": 32_766, "src": "all", "table": "main"}],
        ),
    ):
        tree.record(("ip", "-json", *name), json.dumps(rows) + "\n")


def _settings(tree: Tree, node: NodeModel, found: list[Port]) -> None:
    tree.record_for_root(
        NETPLAN,
        "==> /etc/netplan/50-cloud-init.yaml <==\nnetwork:\n  version: 2\n  ethernets:\n"
        f"    {ETHERNET}: {{dhcp4: true}}\n",
    )
    tree.record_for_root(
        CONNECTIONS,
        f"==> /etc/NetworkManager/system-connections/{WIRELESS_CONNECTION} <==\n[connection]\nid={SSID}\ntype=wifi\n"
        f"interface-name={WIRELESS}\n\n[wifi]\nssid={SSID}\n\n[wifi-security]\nkey-mgmt=wpa-psk\npsk={PSK}\n",
    )
    blocks = [
        f"GENERAL.DEVICE:{port.name}\nGENERAL.TYPE:{'wifi' if port.wireless else 'ethernet'}\n"
        f"GENERAL.HWADDR:{port.mac.upper()}\nGENERAL.STATE:{'100 (connected)' if port.up else '20 (unavailable)'}\n"
        for port in found
    ]
    tree.record(("nmcli", "--terse", "device", "show"), "\n".join(blocks))
    tree.record(
        ("nmcli", "--terse", "connection", "show"), f"netplan-{ETHERNET}:{node.uuid}:802-3-ethernet:{ETHERNET}\n"
    )
    tree.record(
        ("resolvectl", "status", "--no-pager"),
        "Global\n         Protocols: -LLMNR -mDNS -DNSOverTLS DNSSEC=no/unsupported\n  resolv.conf mode: stub\n\n"
        f"Link 2 ({ETHERNET})\n    Current Scopes: DNS\nCurrent DNS Server: 192.0.2.53\n"
        "        DNS Domain: example.net\n",
    )
    tree.record_for_root(
        ("/usr/sbin/nft", "--numeric", "list", "ruleset"),
        "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority 0; policy drop;\n"
        "\t\tip saddr 172.17.0.0/16 counter packets 0 bytes 0 accept\n\t}\n}\n",
    )


def _wireless(tree: Tree) -> None:
    tree.record(
        ("iw", "dev"), f"phy#0\n\tInterface {WIRELESS}\n\t\tifindex 3\n\t\ttype managed\n\t\ttxpower 3.00 dBm\n"
    )
    tree.record(("iw", "dev", WIRELESS, "link"), "Not connected.\n")
    tree.put("/sys/class/rfkill/rfkill0", name="phy0", type="wlan", soft=0, hard=0)


def _adapter(tree: Tree, port: Port) -> None:
    speed, found = (f"{port.speed}Mb/s", "yes") if port.up else ("Unknown!", "no")
    tree.record(
        ("ethtool", port.name),
        f"Settings for {port.name}:\n\tSpeed: {speed}\n\tDuplex: Full\n\tLink detected: {found}\n",
    )
    traffic = 67_000_000 if port.up else 0
    names = (
        ("rx_packets", "rx_errors", "rx_missed")
        if port.rdma is None
        else ("rx_packets", "rx_discards_phy", "rx_symbol_err_phy")
    )
    rows = "".join(f"     {name}: {traffic if name == 'rx_packets' else 0}\n" for name in names)
    tree.record(("ethtool", "-S", port.name), f"NIC statistics:\n{rows}")


def _connectx(tree: Tree, node: NodeModel, found: list[Port]) -> None:
    rdma = [port for port in found if port.rdma is not None]
    links = [
        {"ifindex": at, "ifname": port.rdma, "port": 1, "state": "ACTIVE" if port.up else "DOWN", "netdev": port.name}
        for at, port in enumerate(rdma)
    ]
    tree.record(("rdma", "-j", "-d", "link", "show"), json.dumps(links) + "\n")
    tree.record(
        ("rdma", "-j", "resource", "show"),
        json.dumps([{"ifname": port.rdma, "pd": 2, "qp": 1} for port in rdma]) + "\n",
    )
    firmware, board = CONNECTX_FIRMWARE.split(" ")
    versions = {
        "fixed": {"fw.psid": board.strip("()")},
        "running": {"fw.version": firmware},
        "stored": {"fw.version": firmware},
    }
    serial = f"SIMCX7{node.number:06d}"
    info = {
        f"pci/{port.address}": {"driver": "mlx5_core", "serial_number": serial, "versions": versions} for port in rdma
    }
    tree.record(("devlink", "-j", "dev", "info"), json.dumps({"info": info}) + "\n")
    reporters = [{"reporter": "fw_fatal", "state": "healthy", "error": 0, "recover": 0}]
    tree.record(("devlink", "-j", "health", "show"), json.dumps({"health": dict.fromkeys(info, reporters)}) + "\n")
    for port in rdma[:2]:
        argv = ("/usr/sbin/ethtool", "-m", port.name)
        if port.up:
            words = f"\tIdentifier : 0x11 (QSFP28)\n\tVendor name : SIMULATED\n\tVendor SN : SIMDAC{node.number:05d}\n"
            tree.record_for_root(argv, words)
        else:
            tree.record_for_root(argv, rc=1, stderr="netlink error: Input/output error\n")

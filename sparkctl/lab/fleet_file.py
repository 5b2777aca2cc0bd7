"""The files by which others find a lab's nodes: an inventory, the pins of the host keys, an ssh_config."""

import json

from sparkctl.lab.keys import APPROVERS, public_key
from sparkctl.lab.state import Lab, LabNode, write_atomically

USER = "sim"
RACK_SIZE = 8
HEADER = "# Simulated nodes of a sparkctl lab: they listen on loopback addresses of this machine and own no hardware.\n"

SITE = """\
# Rules for playbooks of a sparkctl lab: the keys approver-1 and approver-2 in keys/ may approve.
version: 1
allowed_signers: approvers
"""


def write_fleet_files(lab: Lab) -> None:
    """Write `fleet.yaml`, `known_hosts`, `ssh_config`, and who may approve what (`playbooks.yaml`); raises OSError."""
    write_atomically(lab.fleet_file, _fleet(lab))
    pins = (f"[{node.address}]:{lab.port} {public_key(lab.host_key_file(node.name))}\n" for node in lab.nodes)
    write_atomically(lab.known_hosts_file, "".join(pins))
    write_atomically(lab.ssh_config_file, _ssh_config(lab))
    signers = (f"{name}@lab.simulated {public_key(lab.approver_key_file(name))}\n" for name in APPROVERS)
    write_atomically(lab.directory / "approvers", "".join(signers), 0o644)
    write_atomically(lab.directory / "playbooks.yaml", SITE, 0o644)


def _fleet(lab: Lab) -> str:
    """Quoted as JSON, which YAML reads the same way."""
    ssh = [
        f"user: {USER}",
        f"port: {lab.port}",
        f"identity_files: [{_quoted(lab.identity_file)}]",
        f"known_hosts_files: [{_quoted(lab.known_hosts_file)}]",
        "config_file: /dev/null",
        "agent: false",
    ]
    lines = [
        f"{HEADER}version: 1",
        "defaults:",
        "  simulated: true",
        "  elevation: commands",
        "  site: lab",
        "  state: in_service",
        "  ssh:",
        *(f"    {line}" for line in ssh),
        "nodes:",
        *(_entry(at, node) for at, node in enumerate(lab.nodes)),
    ]
    pairs = [lab.nodes[at : at + 2] for at in range(0, len(lab.nodes) - 1, 2)]
    lines += ["units:"] if pairs else []
    lines += [f"  pair-{at + 1}: [{', '.join(node.name for node in pair)}]" for at, pair in enumerate(pairs)]
    return "\n".join([*lines, ""])


def _entry(at: int, node: LabNode) -> str:
    rack = at // RACK_SIZE
    place = f"rack: a{rack + 1}, power_group: pdu-{rack + 1}, serial: {node.serial}"
    return f"  {node.name}: {{ssh: {{host: {node.address}}}, {place}, labels: {{make: {node.make}}}}}"


def _ssh_config(lab: Lab) -> str:
    hosts = "".join(f"Host {node.name}\n  HostName {node.address}\n" for node in lab.nodes)
    return (
        f"{HEADER}{hosts}Host sim-* 127.77.*\n  User {USER}\n  Port {lab.port}\n"
        f"  IdentityFile {_quoted(lab.identity_file)}\n  UserKnownHostsFile {_quoted(lab.known_hosts_file)}\n"
        "  IdentitiesOnly yes\n  IdentityAgent none\n  StrictHostKeyChecking yes\n"
    )


def _quoted(path: object) -> str:
    return json.dumps(str(path), ensure_ascii=False)

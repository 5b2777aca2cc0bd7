"""fleet.yaml: what it means when it is right."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.inventory.load import check_fleet, load_fleet
from sparkctl.inventory.ranges import fold
from sparkctl.inventory.values import LISTS, NODE_KEYS, SCALARS
from sparkctl.model.inventory import Fleet, Node, SshSettings
from sparkctl.model.vocabulary import Elevation

Load = Callable[..., Fleet]
Check = Callable[..., list[str]]
Write = Callable[..., Path]


def by_name(fleet: Fleet) -> dict[str, Node]:
    return {node.node_id: node for node in fleet.nodes}


def test_a_minimal_fleet_is_two_or_three_lines(load: Load) -> None:
    fleet = load("# our fleet\nnodes:\n  spark[01-16]:\n")
    assert fold(node.node_id for node in fleet.nodes) == "spark[01-16]"
    assert fleet.nodes[0] == Node(node_id="spark01", origin=fleet.nodes[0].origin)
    assert fleet.nodes[0].origin.endswith("fleet.yaml:3")


@pytest.mark.parametrize(
    "nodes",
    ["spark[01-03]", "[spark01, spark02, spark03]", "\n- spark[01-02]\n- spark03", "{spark01: , 'spark[02-03]': }"],
)
def test_nodes_may_be_a_text_a_list_or_a_mapping(load: Load, nodes: str) -> None:
    assert [node.node_id for node in load(f"nodes: {nodes}").nodes] == ["spark01", "spark02", "spark03"]


def test_every_setting_reaches_the_node(load: Load, tmp_path: Path) -> None:
    fleet = load(
        """
version: 1
nodes:
  spark01:
    transport: paramiko
    elevation: commands
    site: ams1
    rack: a1
    power_group: pdu-1
    state: in_service
    serial: 1234567890
    simulated: true
    labels: {owner: ml, asset.tag: "007"}
    ssh:
      host: 10.0.0.1
      port: 2222
      user: ops
      identity_files: [~/.ssh/fleet, keys/other]
      certificate_files: /etc/ssh/fleet-cert.pub
      agent: no
      jump: [ops@bastion:22, "inner"]
      config_file: ssh_config
      known_hosts_files: [known_hosts]
      host_key_policy: accept-new
"""
    )
    (node,) = fleet.nodes
    assert node == Node(
        node_id="spark01",
        transport="paramiko",
        elevation=Elevation.COMMANDS,
        site="ams1",
        rack="a1",
        power_group="pdu-1",
        state="in_service",
        serial="1234567890",
        simulated=True,
        labels={"owner": "ml", "asset.tag": "007"},
        ssh=SshSettings(
            host="10.0.0.1",
            port=2222,
            user="ops",
            identity_files=[Path("~/.ssh/fleet"), tmp_path / "keys/other"],
            certificate_files=[Path("/etc/ssh/fleet-cert.pub")],
            agent=False,
            jump=["ops@bastion:22", "inner"],
            config_file=tmp_path / "ssh_config",
            known_hosts_files=[tmp_path / "known_hosts"],
            host_key_policy="accept-new",
        ),
        origin=node.origin,
    )


def test_every_field_of_the_model_can_be_set() -> None:
    assert set(Node.model_fields) - {"node_id", "groups", "origin"} == NODE_KEYS
    assert {f"ssh.{name}" for name in SshSettings.model_fields} == {key for key in (*SCALARS, *LISTS) if "ssh." in key}


@pytest.mark.parametrize("text", ["on", "no", "022", "1_000", "1e3", "0x1F", "2024-01-01", "null1", "1.10"])
def test_words_that_yaml_1_1_would_change_stay_as_written(load: Load, text: str) -> None:
    (node,) = load(f"nodes:\n  {text}:\n    rack: {text}\n    labels: {{{text}: {text}}}\n").nodes
    assert (node.node_id, node.rack, node.labels) == (text, text, {text: text})


@pytest.mark.parametrize(("text", "port"), [("22", 22), ("022", 22), ("'22'", 22), ("65535", 65535)])
def test_ports_are_decimal(load: Load, text: str, port: int) -> None:
    assert load(f"nodes: {{a: {{ssh: {{port: {text}}}}}}}").nodes[0].ssh.port == port


@pytest.mark.parametrize("text", ["22:22", "1_000", "0x16", ".nan", ".inf", "0", "65536", "-1", "22.0", "true", "1e3"])
def test_what_is_no_port_is_refused(check: Check, text: str) -> None:
    assert check(f"nodes:\n a: {{ssh: {{port: {text}}}}}") == [
        f"error 2: nodes.a.ssh.port: ssh.port must be a whole number from 1 to 65535, not '{text}'"
    ]


def test_settings_flow_from_defaults_through_groups_to_the_node(load: Load) -> None:
    nodes = by_name(
        load(
            """
defaults: {ssh: {user: d, port: 1}, rack: d, site: d, labels: {a: d, b: d, c: d}}
groups:
  inner: {nodes: [n2, n3], ssh: {user: inner}, rack: inner, labels: {b: inner}}
  outer: {groups: [inner], nodes: n1, ssh: {user: outer}, rack: outer, site: outer, labels: {c: outer}}
nodes:
  n0:
  n1:
  n2:
  n3: {rack: n3, labels: {b: n3}}
"""
        )
    )
    seen = {name: (node.ssh.user, node.ssh.port, node.rack, node.site) for name, node in nodes.items()}
    assert seen == {
        "n0": ("d", 1, "d", "d"),
        "n1": ("outer", 1, "outer", "outer"),
        "n2": ("inner", 1, "inner", "outer"),
        "n3": ("inner", 1, "n3", "outer"),
    }
    assert nodes["n3"].labels == {"a": "d", "b": "n3", "c": "outer"}
    assert nodes["n3"].groups == ["inner", "outer"]
    assert nodes["n1"].groups == ["outer"]


def test_an_empty_list_clears_what_was_inherited(load: Load) -> None:
    nodes = by_name(
        load("defaults: {ssh: {jump: bastion}}\nnodes: {a: , b: {ssh: {jump: []}}, c: {ssh: {jump: none}}}")
    )
    assert [nodes[name].ssh.jump for name in "abc"] == [["bastion"], [], []]


def test_ranges_of_values_are_dealt_out(load: Load) -> None:
    nodes = by_name(
        load(
            """
nodes:
  spark[01-03]:
    ssh: {host: "10.0.1.[11-13]", port: 2201-2203}
    serial: S[7-9]
    rack: r[a-c]
    power_group: "[p,q,p]"
    labels: {note: "see [1-2]"}
  web[1-2]: 10.0.2.[1-2]
  port[1-2]: {ssh: {host: h, port: [8001-8002]}}
  six: {ssh: {host: "[2001:db8::1]"}}
"""
        )
    )
    assert nodes["spark02"].ssh == SshSettings(host="10.0.1.12", port=2202)
    assert [nodes[f"spark0{n}"].serial for n in (1, 2, 3)] == ["S7", "S8", "S9"]
    assert [nodes[f"spark0{n}"].rack for n in (1, 2, 3)] == ["ra", "rb", "rc"]
    assert [nodes[f"spark0{n}"].power_group for n in (1, 2, 3)] == ["p", "q", "p"]
    assert nodes["spark03"].labels == {"note": "see [1-2]"}
    assert nodes["web2"].ssh.host == "10.0.2.2"
    assert nodes["port2"].ssh.port == 8002
    assert nodes["six"].ssh.host == "2001:db8::1"


@pytest.mark.parametrize(
    "units",
    [
        "{pair-1: [n1, n2], pair-2: [n3, n4]}",
        "{pair-1: 'n[1-2]', pair-2: 'n[3-4]'}",
        "{'pair-[1-2]': 'n[1-4]'}",
        "{'pair-[1-2]': ['n[1,3]', 'n[2,4]']}",
    ],
)
def test_units(load: Load, units: str) -> None:
    nodes = by_name(load(f"units: {units}\nnodes: n[1-5]"))
    assert [nodes[f"n{number}"].unit for number in range(1, 6)] == ["pair-1", "pair-1", "pair-2", "pair-2", None]


def test_a_node_may_name_its_unit(load: Load) -> None:
    nodes = by_name(load("nodes:\n  a[1-2]: {unit: 'p[1-2]'}\n  b[1-2]: {unit: 'p[1-2]'}\n"))
    assert {name: node.unit for name, node in nodes.items()} == {"a1": "p1", "a2": "p2", "b1": "p1", "b2": "p2"}


def test_group_members_may_be_selectors(load: Load) -> None:
    nodes = by_name(
        load(
            """
groups:
  left: {nodes: "n[1-2]", rack: a1}
  byrack: {nodes: ["rack=a1&!n1", "@right"], site: s}
  right: "n4"
nodes: n[1-5]
"""
        )
    )
    assert {name: node.groups for name, node in nodes.items()} == {
        "n1": ["left"],
        "n2": ["byrack", "left"],
        "n3": [],
        "n4": ["byrack", "right"],
        "n5": [],
    }
    assert nodes["n4"].site == "s"


def test_anchors_and_merge_keys(load: Load) -> None:
    nodes = by_name(load("nodes:\n  a: &a\n    rack: r1\n    site: s\n  b:\n    <<: *a\n    site: t\n  c: *a\n"))
    assert {name: (node.rack, node.site) for name, node in nodes.items()} == {
        "a": ("r1", "s"),
        "b": ("r1", "t"),
        "c": ("r1", "s"),
    }


def test_includes_add_to_each_other(write: Write) -> None:
    write("more/hosts.ini", "[train]\nn1 ansible_user=ops\nn2\n")
    write("nodes.csv", "name,rack,serial\nn1,a1,S1\nn3,a2,S3\n")
    path = write(
        "fleet.yaml", "include: [more/hosts.ini, nodes.csv]\ngroups: {train: {nodes: n3, site: s}}\nnodes: n4\n"
    )
    fleet = load_fleet(path)
    nodes = by_name(fleet)
    assert (nodes["n1"].ssh.user, nodes["n1"].rack, nodes["n1"].site) == ("ops", "a1", "s")
    assert [name for name, node in nodes.items() if node.groups == ["train"]] == ["n1", "n2", "n3"]
    assert [Path(source).name for source in fleet.sources] == ["fleet.yaml", "hosts.ini", "nodes.csv"]
    assert check_fleet(path) == []


def test_nodes_are_sorted_as_a_person_would(load: Load) -> None:
    assert [node.node_id for node in load("nodes: [n10, n9, m1]").nodes] == ["m1", "n9", "n10"]


def test_a_fleet_may_be_written_as_json(load: Load) -> None:
    assert len(load('{"nodes": {"n[1-3]": {"ssh": {"port": 22}}}}', "fleet.json").nodes) == 3


def test_ten_thousand_described_nodes_load(load: Load) -> None:
    lines = [f"  n{number:05}: {{rack: r{number // 40}, serial: S{number}}}" for number in range(10_000)]
    groups = [f"  g{number}: rack=r{number}" for number in range(250)]
    fleet = load("\n".join(["groups:", *groups, "nodes:", *lines]))
    assert len(fleet.nodes) == 10_000
    assert fleet.nodes[-1].groups == ["g249"]


def test_importing_the_inventory_does_not_import_yaml() -> None:
    code = "import sys, sparkctl.inventory.load; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

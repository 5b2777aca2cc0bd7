"""What `inventory check` finds: everything at once, each with its place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.errors import UsageError
from sparkctl.inventory.load import check_fleet, load_fleet

Check = Callable[..., list[str]]
Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nodse: a\nnodes: b", "error 1: nodse: unknown key 'nodse'"),
        ("version: 2\nnodes: a", "error 1: version: version must be 1, not 2"),
        ("nodes:\n  a:\n  a:\n", "error 3: nodes.a: the key a is already on line 2"),
        ("nodes:\n  n[1-3]:\n  n2:\n", "error 3: nodes.n2: n2 is already described on line 2"),
        ("nodes: {a: {ssh: {password: x}}}", "error 1: nodes.a.ssh.password: passwords are not read from an inventory"),
        ("nodes: {a: {port: 22}}", "error 1: nodes.a.port: unknown key 'port'"),
        ("nodes: {a: {rack: }}", "error 1: nodes.a.rack: this has no value"),
        ("nodes: {a: {rack: [x, y]}}", "error 1: nodes.a.rack: this must be one value, not a list or a mapping"),
        ("nodes: {a: {ssh: x}}", "error 1: nodes.a.ssh: this must be a mapping of keys to values"),
        ("nodes: {a: {labels: {'a b': x}}}", "error 1: nodes.a.labels.a b: 'a b' cannot be the name of a label"),
        (
            "nodes: {a: {labels: {api_token: x}}}",
            "error 1: nodes.a.labels.api_token: api_token is a secret by its name",
        ),
        ("groups: {a: }", "error the inventory describes no node"),
        ("nodes: {a: !b x}", "error 1: the tag !b is not known here"),
        (
            "nodes: {a: {transport: telnet}}",
            "error 1: nodes.a.transport: transport must be one of asyncssh, paramiko, local, not 'telnet'",
        ),
        ("nodes: {a: {ssh: {host: '-oProxyCommand=x'}}}", "error 1: nodes.a.ssh.host: ssh.host must be a host name"),
        (
            "nodes: {a: {ssh: {jump: 'a b'}}}",
            "error 1: nodes.a.ssh.jump: ssh.jump must read [user@]host[:port], not 'a b'",
        ),
        (
            "nodes: {'n[1-3]': {serial: 'S[1-2]'}}",
            "error 1: nodes.n[1-3].serial: S[1-2] stands for 2 values, but the entry describes 3 nodes",
        ),
        ("nodes: {'n[3-1]': }", "error 1: nodes.n[3-1]: 'n[3-1]': 3-1 counts backwards or changes its width"),
        ("nodes: {'n[1-100001]': }", "error 1: nodes.n[1-100001]: 'n[1-100001]': stands for more than 100,000 names"),
        ("nodes: ['a[1-99999]', 'b[1-99999]']", "error 1: nodes: the inventory describes more than 100,000 nodes"),
        (
            f"groups: {{{'g' * 121}: a}}\nnodes: a",
            f"error 1: groups.{'g' * 121}: the name of a group must be one printable",
        ),
        (
            f"units: {{{'u' * 121}: [a, b]}}\nnodes: [a, b]",
            f"error 1: units.{'u' * 121}: the name of a unit must be one",
        ),
        (
            f"nodes: {{a: {{ssh: {{identity_files: /{'k' * 300}}}}}}}",
            f"warning 1: nodes.a.ssh.identity_files: the key file /{'k' * 300} cannot be looked at: File name too long",
        ),
        ("nodes: [[a]]", "error 1: nodes: this must be a text or a list of texts"),
        ("groups: [a]\nnodes: a", "error 1: groups: this must be a mapping of keys to values"),
        (
            "nodes: a\nunits:\n" + "".join(f"  u{n}-[1-50000]: a[1-100000]\n" for n in range(3)),
            "error 4: units.u1-[1-50000]: the ranges of this file stand for more than 300,000 names",
        ),
        ("nodes: {a: {ssh: {jump: [{b: c}]}}}", "error 1: nodes.a.ssh.jump: this must be a list of values"),
        ("nodes: {a: {ssh: {host: 'h[3-1]'}}}", "error 1: nodes.a.ssh.host: 'h[3-1]': 3-1 counts backwards"),
        ("nodes: {a: {ssh: {user: a b}}}", "error 1: nodes.a.ssh.user: ssh.user must be a user name without spaces"),
        (
            "nodes: {a: {ssh: {agent: maybe}}}",
            "error 1: nodes.a.ssh.agent: ssh.agent must be true or false, not 'maybe'",
        ),
        (
            'nodes: {a: {ssh: {config_file: "a\\tb"}}}',
            "error 1: nodes.a.ssh.config_file: ssh.config_file must be a path",
        ),
        ("nodes: {a: {<<: x}}", "error 1: << merges mappings only"),
        ("include: ~no-such-user/x\nnodes: a", "error 1: include: the home folder of ~no-such-user/x is not known"),
        ("nodes: [a b]", "error 1: nodes: 'a b' is not a valid name of a node"),
        ("nodes: [_a, all]", "error 1: nodes: '_a' is not a valid name of a node"),
        ("nodes: [all]", "error 1: nodes: `all` means every node and cannot name one"),
        ("defaults: {serial: x}\nnodes: a", "error 1: defaults.serial: only one node can have this serial"),
        ("defaults: {unit: x}\nnodes: a", "error 1: defaults: every node would be in the same unit"),
        ("nodes:\n  a:\n  b: a", "error 3: nodes.b.ssh.host: b has the same address as a ("),
        ("groups: {a: [b]}\nnodes: c", "error 1: groups.a: group a: there is no node b, in 'b'"),
        ("groups: {a: }\nnodes: c", "warning 1: groups.a: group a has no node"),
        ("groups: {all: c}\nnodes: c", "error 1: groups.all: `all` is a word of its own, not a group"),
        (
            "groups:\n  a: {groups: [b], nodes: n}\n  b: {groups: [c]}\n  c: {groups: [a]}\nnodes: n",
            "error 4: groups.c.groups: groups contain each other: a -> b -> c -> a",
        ),
        (
            "groups: {a: {groups: [a], nodes: n}}\nnodes: n",
            "error 1: groups.a.groups: groups contain each other: a -> a",
        ),
        (
            "groups: {a: {groups: [trian], nodes: n}, train: n}\nnodes: n",
            "error 1: groups.a.groups: group a names the group trian, which does not exist",
        ),
        ("units: {u: [a, b, c]}\nnodes: [a, b, c]", "error 1: units.u: a unit is two nodes, not 3"),
        ("units: {u: a}\nnodes: [a, b, c]", "error 1: units.u: a unit is two nodes, not 1"),
        ("units: {'u[1-2]': 'n[1-3]'}\nnodes: n[1-3]", "error 1: units.u[1-2]: 2 units are 4 nodes, not 3"),
        ("units: {u: [a, a]}\nnodes: [a]", "error 1: units.u: unit u has 1 node, not two: a"),
        ("units: {u: [a, b], v: [b, c]}\nnodes: [a, b, c]", "error 1: units.v: b is in unit u and in unit v"),
        ("units: {u: [a, z]}\nnodes: [a]", "error 1: units.u: unit u names z, which is no node"),
        ("nodes:\n  a: {unit: u}\n", "error 2: nodes.a.unit: unit u has 1 node, not two: a"),
        ("units: {u: [a, b]}\nnodes: {a: {unit: v}, b: }\n", "error 2: nodes.a.unit: a is in unit v and in unit u"),
        ("include: gone.yaml\nnodes: a", "error "),
        ("include: [fleet.yaml]\nnodes: a", "error 1: include: the files include each other: fleet.yaml -> fleet.yaml"),
        (
            "groups:\n  x: {nodes: a, rack: r1}\n  y: {nodes: a, rack: r2}\nnodes: a",
            (
                "warning 3: groups.y.rack: rack is also set by group x, and some node is in both; "
                "y wins because its name comes last"
            ),
        ),
    ],
)
def test_a_problem_and_its_place(check: Check, text: str, problem: str) -> None:
    found = check(text)
    assert found
    assert any(one.startswith(problem) for one in found)


def test_two_nodes_at_one_address(check: Check) -> None:
    (problem,) = check("nodes:\n  a: {ssh: {host: h}}\n  b: {ssh: {host: H, port: 22}}\n")
    assert problem.startswith("error 3: nodes.b.ssh.host: b has the same address as a (")
    assert problem.endswith("fleet.yaml:2): h port 22")


def test_the_same_address_behind_another_jump_host_or_port_is_another_node(check: Check) -> None:
    assert not check("nodes:\n  a: h\n  b: {ssh: {host: h, port: 23}}\n  c: {ssh: {host: h, jump: j}}\n")


def test_two_nodes_with_one_serial(check: Check) -> None:
    (problem,) = check("nodes:\n  a: {serial: s1}\n  b: {serial: S1}\n")
    assert problem.startswith("error 3: nodes.b.serial: b has the same serial as a (")


def test_key_files(check: Check, write: Write, tmp_path: Path) -> None:
    write("open", "key").chmod(0o644)
    write("closed", "key").chmod(0o600)
    write("closed.pub", "key").chmod(0o600)
    text = "defaults: {ssh: {identity_files: [open, closed, gone, closed.pub, .]}}\nnodes: n[1-9]\n"
    key = "1: defaults.ssh.identity_files: "
    assert check(text) == [
        f"error {key}the key file {tmp_path}/open may be read or changed by others (mode 0644)",
        f"warning {key}the key file {tmp_path}/gone does not exist",
        f"error {key}{tmp_path}/closed.pub is a public key",
        f"error {key}the key file {tmp_path} is not a regular file",
    ]


def test_a_missing_key_does_not_stop_a_load(write: Write) -> None:
    assert load_fleet(write("fleet.yaml", "nodes: {a: {ssh: {identity_files: gone}}}")).nodes


def test_everything_is_found_at_once_in_order(write: Write) -> None:
    path = write("fleet.yaml", "nodes:\n  a: {rak: 1}\n  b: {ssh: {prot: 2}}\ninclude: [hosts.ini, gone.csv]\nx: 1\n")
    write("hosts.ini", "a ansible_port=x\n[\n")
    found = [(Path(problem.file).name, problem.line, problem.key) for problem in check_fleet(path)]
    assert found == [
        ("fleet.yaml", 2, "nodes.a.rak"),
        ("fleet.yaml", 3, "nodes.b.ssh.prot"),
        ("fleet.yaml", 5, "x"),
        ("hosts.ini", 1, "a"),
        ("hosts.ini", 2, None),
        ("gone.csv", None, None),
    ]
    assert all(problem.action for problem in check_fleet(path))


def test_files_that_contradict_each_other(write: Write) -> None:
    path = write("fleet.yaml", "include: [nodes.csv]\nnodes: {a: {rack: r1, site: s}}\n")
    write("nodes.csv", "name,rack,site\na,r2,s\n")
    (problem,) = check_fleet(path)
    assert problem.sentence.startswith(f"{path.parent}/nodes.csv:2: a: a has another rack here than at ")
    assert problem.sentence.endswith("fleet.yaml:2")


def test_includes_in_a_circle_are_named(write: Write) -> None:
    path = write("fleet.yaml", "include: [b.yaml]\nnodes: a\n")
    write("b.yaml", "include: [c.yaml]\n")
    write("c.yaml", "include: [b.yaml]\n")
    (problem,) = check_fleet(path)
    assert problem.message == "the files include each other: b.yaml -> c.yaml -> b.yaml"


def test_a_file_included_twice(write: Write) -> None:
    path = write("fleet.yaml", "include: [b.yaml, ./b.yaml]\nnodes: a\n")
    write("b.yaml", "nodes: b\n")
    with pytest.raises(UsageError, match="included twice"):
        load_fleet(path)


def test_a_long_chain_of_includes_is_cut(write: Write) -> None:
    for number in range(400):
        write(f"f{number}.yaml", f"include: f{number + 1}.yaml\nnodes: n{number}\n")
    (problem,) = check_fleet(write("fleet.yaml", "include: f0.yaml\n"))
    assert problem.message == "more than 20 files include one another"

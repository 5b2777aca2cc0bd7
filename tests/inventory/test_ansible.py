"""Ansible inventories, held against Ansible's documented rules."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.inventory.ansible_hosts import expand_hosts, split_port
from sparkctl.inventory.load import check_fleet, load_fleet
from sparkctl.model.inventory import Fleet, Node

Load = Callable[..., Fleet]
Check = Callable[..., list[str]]
Write = Callable[..., Path]


def by_name(fleet: Fleet) -> dict[str, Node]:
    return {node.node_id: node for node in fleet.nodes}


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("web[01:03]", ["web01", "web02", "web03"]),
        ("web[1:3].lan", ["web1.lan", "web2.lan", "web3.lan"]),
        ("web[01:07:3]", ["web01", "web04", "web07"]),
        ("web[8:11]", ["web8", "web9", "web10", "web11"]),
        ("web[098:101]", ["web098", "web099", "web100", "web101"]),
        ("db-[a:d]", ["db-a", "db-b", "db-c", "db-d"]),
        ("db-[a:g:3]", ["db-a", "db-d", "db-g"]),
        ("db-[y:B]", ["db-y", "db-z", "db-A", "db-B"]),
        ("r[1:2]n[a:b]", ["r1na", "r1nb", "r2na", "r2nb"]),
        ("web[:2]", ["web0", "web1", "web2"]),
        ("plain", ["plain"]),
    ],
)
def test_host_ranges(pattern: str, hosts: list[str]) -> None:
    assert expand_hosts(pattern) == hosts


@pytest.mark.parametrize(
    "pattern",
    ["web[01:100]", "web[1:]", "web[3:1]", "web[1:5:0]", "web[a:9]", "web[1:9:1:1]", "w[1:999999]", "w[1:999][1:999]"],
)
def test_host_ranges_that_ansible_refuses_or_nobody_means(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"has \[|stands for"):
        expand_hosts(pattern)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("web:2222", ("web", "2222")),
        ("web[1:3]:2222", ("web[1:3]", "2222")),
        ("web[1:3]", ("web[1:3]", None)),
        ("[2001:db8::1]:22", ("2001:db8::1", "22")),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("10.0.0.1", ("10.0.0.1", None)),
    ],
)
def test_ports_in_host_patterns(pattern: str, parts: tuple[str, str | None]) -> None:
    assert split_port(pattern) == parts


INI = """
; a comment
solo ansible_host=10.0.0.1   # another
[web]
web[01:02]:2222 ansible_user=alice
alias ansible_host=10.0.0.5 ansible_port="22" ansible_ssh_private_key_file='~/my keys/id'
[web:vars]
ansible_ssh_common_args='-o ProxyJump=ops@bastion:22,inner'
rack=a1
sparkctl_label_owner = ml
[prod:children]
web
db
[prod:vars]
ansible_user=prod
sparkctl_site="ams 1"
[db]
db1 ansible_connection=local
[all:vars]
ansible_user=root
"""


def test_an_ini_inventory(load: Load) -> None:
    nodes = by_name(load(INI, "hosts.ini"))
    assert list(nodes) == ["alias", "db1", "solo", "web01", "web02"]
    assert {name: node.groups for name, node in nodes.items()} == {
        "alias": ["prod", "web"],
        "db1": ["db", "prod"],
        "solo": [],
        "web01": ["prod", "web"],
        "web02": ["prod", "web"],
    }
    assert {name: node.ssh.user for name, node in nodes.items()} == {
        "alias": "prod",
        "db1": "prod",
        "solo": "root",
        "web01": "alice",
        "web02": "alice",
    }
    alias = nodes["alias"]
    assert (alias.ssh.host, alias.ssh.port) == ("10.0.0.5", 22)
    assert alias.ssh.identity_files == [Path("~/my keys/id")]
    assert alias.ssh.jump == ["ops@bastion:22", "inner"]
    assert (alias.site, alias.rack, alias.labels) == ("ams 1", "a1", {"owner": "ml"})
    assert nodes["web01"].ssh.port == 2222
    assert nodes["db1"].transport == "local"
    assert nodes["web01"].origin.endswith("hosts.ini:5")


YAML = """
all:
  hosts:
    solo: {ansible_host: 10.0.0.1}
  vars: {ansible_user: root}
  children:
    prod:
      vars: {ansible_user: prod, sparkctl_site: ams 1}
      children:
        web:
          hosts:
            web[01:02]:2222: {ansible_user: alice}
            alias: {ansible_host: 10.0.0.5, ansible_port: 22, ansible_ssh_private_key_file: ~/my keys/id}
          vars:
            ansible_ssh_common_args: -o ProxyJump=ops@bastion:22,inner
            rack: a1
            sparkctl_labels: {owner: ml}
            nobody_reads: [1, {2: 3}]
        db:
          hosts:
            db1: {ansible_connection: local}
"""


def test_the_same_inventory_in_both_syntaxes(write: Write) -> None:
    ini, yaml = load_fleet(write("hosts.ini", INI)), load_fleet(write("hosts.yml", YAML))
    assert [node.model_copy(update={"origin": ""}) for node in ini.nodes] == [
        node.model_copy(update={"origin": ""}) for node in yaml.nodes
    ]


@pytest.mark.parametrize("name", ["hosts", "inventory.ini", "hosts.cfg", "production"])
def test_ini_is_recognised_whatever_its_name(load: Load, name: str) -> None:
    assert [node.node_id for node in load("n1\n[g]\nn2\n", name).nodes] == ["n1", "n2"]


def test_yaml_without_an_ending_is_recognised(load: Load) -> None:
    assert [node.node_id for node in load("web:\n  hosts:\n    n1:\n", "hosts").nodes] == ["n1"]
    assert [node.node_id for node in load("# ours\nnodes: n[1-2]\n", "fleet").nodes] == ["n1", "n2"]
    assert load("n1:2222\n", "hosts").nodes[0].ssh.port == 2222


def test_group_priority_beats_the_name(load: Load) -> None:
    text = "[a]\nn1\n[b]\nn1\n[a:vars]\nansible_user=a\nansible_group_priority=10\n[b:vars]\nansible_user=b\n"
    assert load(text, "hosts.ini").nodes[0].ssh.user == "a"


def test_the_connection_s_own_variable_wins_wherever_it_is_set(load: Load) -> None:
    text = "n1 ansible_user=host ansible_port=1\n[all:vars]\nansible_ssh_user=all\nansible_ssh_port=2\n"
    node = load(text, "hosts.ini").nodes[0]
    assert (node.ssh.user, node.ssh.port) == ("all", 2)


def test_a_host_in_two_places_of_one_file_keeps_the_later_variables(load: Load) -> None:
    text = "[a]\nn1 ansible_user=x ansible_port=1\n[b]\nn1 ansible_user=y\n"
    node = load(text, "hosts.ini").nodes[0]
    assert (node.ssh.user, node.ssh.port, node.groups) == ("y", 1, ["a", "b"])


def test_variables_of_ungrouped_hosts(load: Load) -> None:
    nodes = by_name(load("n1\n[g]\nn2\n[ungrouped:vars]\nansible_user=u\n", "hosts.ini"))
    assert (nodes["n1"].ssh.user, nodes["n2"].ssh.user, nodes["n1"].groups) == ("u", None, [])


def test_templates_follow_other_variables(load: Load) -> None:
    text = """
[g]
n1.lan mgmt=10.0.0.1
n2.lan mgmt=10.0.0.2
[g:vars]
ansible_host={{ mgmt }}
ansible_user={{ inventory_hostname_short }}
jump=bastion
ansible_ssh_common_args=-o ProxyCommand="ssh -W %h:%p -q -p 2222 ops@{{ jump }}"
"""
    nodes = by_name(load(text, "hosts.ini"))
    assert nodes["n2.lan"].ssh.host == "10.0.0.2"
    assert nodes["n2.lan"].ssh.user == "n2"
    assert nodes["n2.lan"].ssh.jump == ["ops@bastion:2222"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("-J bastion", {"jump": ["bastion"]}),
        ("-Jbastion", {"jump": ["bastion"]}),
        ("-o ProxyJump=a,b", {"jump": ["a", "b"]}),
        ("-oProxyJump=none", {"jump": []}),
        ("-o 'ProxyJump a'", {"jump": ["a"]}),
        ("-o ProxyCommand='/usr/bin/ssh -W %h:%p -l me hop'", {"jump": ["me@hop"]}),
        ("-F /etc/fleet -C -o ControlMaster=auto -o ControlPersist=60s", {"config_file": Path("/etc/fleet")}),
        ("-i /k/one -o IdentityFile=/k/two", {"identity_files": [Path("/k/one"), Path("/k/two")]}),
        ("-p 2200 -l me", {"port": 2200, "user": "me"}),
        (
            "-o UserKnownHostsFile=/a -o CertificateFile=/c",
            {"known_hosts_files": [Path("/a")], "certificate_files": [Path("/c")]},
        ),
    ],
)
def test_ssh_arguments(load: Load, arguments: str, expected: dict[str, object]) -> None:
    (node,) = load(f"n1\n[all:vars]\nansible_ssh_common_args={arguments}\n", "hosts.ini").nodes
    assert {key: getattr(node.ssh, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("-o StrictHostKeyChecking=no", "warning 3: all:vars: the ssh options would switch the check of host keys off"),
        (
            "-o UserKnownHostsFile=/dev/null",
            "warning 3: all:vars: the ssh options would switch the check of host keys off",
        ),
        ("-o ProxyCommand='nc %h %p'", "error 3: all:vars: this ProxyCommand is not followed"),
        ("-o Magic=yes", "warning 3: all:vars: the ssh option magic is not followed"),
        ("bastion", "error 3: all:vars: the ssh arguments cannot be read: bastion is not an option of ssh"),
        ("-J", "error 3: all:vars: the ssh arguments cannot be read: -J has no value"),
        ("-o 'x", "error 3: all:vars: the ssh arguments cannot be read: No closing quotation"),
    ],
)
def test_ssh_arguments_that_cannot_be_followed(check: Check, arguments: str, problem: str) -> None:
    (found,) = check(f"n1\n[all:vars]\nansible_ssh_common_args={arguments}\n", "hosts.ini")
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("n1 ansible_password=x", "error 1: n1: ansible_password is a password, and passwords are not read"),
        (
            "n1\n[all:vars]\nansible_ssh_pass=x",
            "error 3: all:vars: ansible_ssh_pass is a password, and passwords are not read",
        ),
        ("n1 ansible_port=x", "error 1: n1: ssh.port must be a whole number from 1 to 65535, not 'x'"),
        ("n1 n2", "error 1: n1: n2 is not of the form key=value"),
        ("n1 a='b", "error 1: the line cannot be split into words: No closing quotation"),
        ("n[1:", "error 1: n[1:: 'n[1:' is not a valid name of a node"),
        ("n[3:1]", "error 1: n[3:1]: n[3:1] has [3:1], which stands for no host or for more than 100,000"),
        ("[g", "error 1: [g is not a section"),
        ("n1\n[g:kids]\n", "error 2: [g:kids] is not a kind of section"),
        ("n1\n[g:children]\nh\n", "error 3: g:children: there is no group h"),
        ("n1\n[g:vars]\nx=1\n", "error 2: there is no group g"),
        ("[g]\nn1\n[g:vars]\nx\n", "error 4: x is not of the form key=value"),
        ("n1 ansible_connection=winrm", "error 1: n1: sparkctl cannot reach a node by ansible_connection=winrm"),
        (
            "n1 ansible_host='{{ x | upper }}'",
            "error 1: n1: ansible_host of n1 is a template that sparkctl does not evaluate",
        ),
        (
            "n1 ansible_host='{{ x }}'",
            "error 1: n1: ansible_host of n1 refers to the variable x, which the inventory does not set",
        ),
        (
            "n1 x='{{ x }}' ansible_host='{{ x }}'",
            "error 1: n1: ansible_host of n1 is a template that sparkctl does not evaluate",
        ),
        ("[a:children]\nb\n[b:children]\na\n[b]\nn1", "error 4: b:children: groups contain each other: a -> b -> a"),
        ("[a b]\nn1\n", "error 1: [a b] is not a section"),
        ("n1\n[g:children]\na b\n", "error 3: a b is not one group"),
        (
            "[g]\nn1\n[g:vars]\nansible_group_priority=x",
            "error 4: g:vars: ansible_group_priority must be a whole number, not 'x'",
        ),
        ("n1 sparkctl_label_api_token=x", "error 1: n1: api_token is a secret by its name"),
        ("a[1:99999]\nb[1:99999]", "error 2: b[1:99999]: the inventory describes more than 100,000 hosts"),
        ("fd00::1", "error 1: fd00::1: 'fd00::1' is not a valid name of a node"),
    ],
)
def test_problems_of_ini(check: Check, text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in check(text, "hosts.ini"))


VAULTED = "!vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          6162\n"


def test_vault_matters_only_to_connection_variables(check: Check) -> None:
    template = "all:\n  hosts:\n    n1:\n      {name}: " + VAULTED
    assert check(template.format(name="api_token"), "hosts.yml") == []
    assert check(template.format(name="ansible_user"), "hosts.yml") == [
        "error 4: all.hosts.n1.ansible_user: ansible_user is encrypted with Ansible Vault, which sparkctl does not open"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("all: {hosts: [n1]}", "error 1: all.hosts: this must be a mapping, not a list or a single value"),
        (
            "all: {hosts: n1, children: {'a b': {hosts: n1}}}",
            "error 1: all.children.a b: 'a b' cannot be the name of a group",
        ),
        ("all: {hosts: n1, child: x}", "error 1: all.child: unknown key 'child' in a group"),
        (
            "all: {hosts: {n1: {ansible_port: [22]}}}",
            "error 1: all.hosts.n1.ansible_port: ansible_port must be one value, not a list",
        ),
        (
            "a: {children: {b: {children: {a: }}}, hosts: n1}",
            "error 1: a.children.b.children.a: groups contain each other: a -> b -> a",
        ),
    ],
)
def test_problems_of_yaml(check: Check, text: str, problem: str) -> None:
    assert problem in check(text, "hosts.yml")


def test_folders_of_variables(write: Write) -> None:
    path = write("hosts.ini", "[g]\nn1\nn2\n[h]\nn3\n")
    write("group_vars/g/10-a.yml", "ansible_user: first\nansible_port: 1\n")
    write("group_vars/g/20-b.yml", "ansible_user: second\n")
    write("group_vars/g/.hidden.yml", "ansible_user: hidden\n")
    write("group_vars/g/old.yml~", "ansible_user: backup\n")
    write("group_vars/g.yml", "ansible_user: shadowed\n")
    write("group_vars/h", "ansible_user: plain\n")
    write("host_vars/n2.yaml", "ansible_port: 2\n")
    write("host_vars/n3.json", '{"ansible_port": 3}')
    write("host_vars/n1.yml", "# nothing\n")
    nodes = by_name(load_fleet(path))
    assert {name: (node.ssh.user, node.ssh.port) for name, node in nodes.items()} == {
        "n1": ("second", 1),
        "n2": ("second", 2),
        "n3": ("plain", 3),
    }


def test_an_encrypted_file_of_variables_is_a_warning(write: Write) -> None:
    path = write("hosts.ini", "[g]\nn1\n")
    write("group_vars/g.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    (problem,) = check_fleet(path)
    assert (problem.severity, Path(problem.file).name) == ("warning", "g.yml")
    assert load_fleet(path).nodes


def test_a_template_may_not_refer_to_what_is_encrypted(check: Check) -> None:
    text = f"all:\n  vars: {{ansible_user: '{{{{ name }}}}'}}\n  hosts:\n    n1:\n      name: {VAULTED}"
    (problem,) = check(text, "hosts.yml")
    assert problem.startswith(
        "error 2: all.vars.ansible_user: ansible_user of n1 refers to the variable name, which is"
    )


@pytest.mark.parametrize(("name", "content"), [("group_vars/g.yml", "- a\n"), ("group_vars/all.yml", "word\n")])
def test_variables_must_be_a_mapping(write: Write, name: str, content: str) -> None:
    write(name, content)
    (problem,) = check_fleet(write("hosts.ini", "[g]\nn1\n"))
    assert problem.message == "a file of variables must be a mapping"


def test_a_folder_of_variables_that_cannot_be_read(write: Write, tmp_path: Path) -> None:
    (tmp_path / "group_vars").symlink_to("group_vars")
    (problem,) = check_fleet(write("hosts.ini", "[g]\nn1\n"))
    assert problem.message.startswith("the folder cannot be read: ")


def test_a_broken_file_of_variables_is_named(write: Write) -> None:
    path = write("hosts.ini", "[g]\nn1\n")
    write("group_vars/g.yml", "a: [\n")
    (problem,) = check_fleet(path)
    assert Path(problem.file).name == "g.yml"
    assert problem.severity == "error"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="[]:nab=1 \n'\"#vars{}-", max_size=60))
def test_any_ini_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(text)
    check_fleet(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2222 # usual", 2222),
        ("'2222'", 2222),
        ('"2222"', 2222),
        ("022", 22),
    ],
)
def test_values_of_ini_variables(load: Load, written: str, meant: int) -> None:
    assert load(f"n1\n[all:vars]\nansible_port = {written}\n", "hosts.ini").nodes[0].ssh.port == meant


def test_unknown_escapes_are_no_warning(load: Load) -> None:
    assert load("n1\n[all:vars]\nsparkctl_label_x='\\d'\n", "hosts.ini").nodes[0].labels == {"x": "\\d"}

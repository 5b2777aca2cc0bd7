"""Which variable wins in an Ansible inventory, held against a second statement of Ansible's rules."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet

PLACES = (
    "all",
    "outer",
    "inner",
    "zgroup",
    "group_vars/all",
    "group_vars/outer",
    "group_vars/inner",
    "host",
    "host_vars",
)
"""Where a variable of `n1` may be set, the weakest first: Ansible's order of precedence for inventories."""


def _write_places(folder: Path, places: set[str]) -> Path:
    """An inventory that sets `ansible_user` in some places, each time to the place's name."""
    host = "n1 ansible_user=host" if "host" in places else "n1"
    lines = ["[inner]", host, "[zgroup:children]", "inner", "[outer:children]", "inner"]
    for group in ("all", "outer", "inner", "zgroup"):
        lines += [f"[{group}:vars]", f"ansible_user={group}"] if group in places else []
    for place in places:
        kind, _, name = place.partition("/")
        if "_vars" in kind:
            target = folder / kind / (f"{name}.yml" if name else "n1.yml")
            target.parent.mkdir(exist_ok=True)
            target.write_text(f"# set here\nansible_user: {place.replace('/', '.')}\n")
    path = folder / "hosts.ini"
    path.write_text("\n".join(lines))
    return path


def _strongest(places: set[str]) -> str | None:
    """Which place wins: outer and zgroup have one depth, so the later name does; inner is deeper than both."""
    order = (
        "all",
        "outer",
        "zgroup",
        "inner",
        "group_vars/all",
        "group_vars/outer",
        "group_vars/inner",
        "host",
        "host_vars",
    )
    return next((place.replace("/", ".") for place in reversed(order) if place in places), None)


@settings(max_examples=80, deadline=None)
@given(places=st.sets(st.sampled_from(PLACES)))
def test_precedence_of_variables(tmp_path_factory: pytest.TempPathFactory, places: set[str]) -> None:
    path = _write_places(tmp_path_factory.mktemp("ansible"), places)
    (node,) = load_fleet(path).nodes
    assert node.ssh.user == _strongest(places)


def _reference_user(parents: dict[str, set[str]], users: dict[str, str], direct: set[str]) -> str | None:
    """Ansible's rule for groups, written down a second time: sort by depth then name, the last one that has it wins."""

    def depth(group: str) -> int:
        return 1 + max((depth(parent) for parent in parents[group]), default=0)

    reached, found = set(direct), set(direct)
    while reached:
        reached = {parent for group in reached for parent in parents[group]} - found
        found |= reached
    ordered = sorted(found, key=lambda group: (depth(group), group))
    return next((users[group] for group in reversed(ordered) if group in users), None)


GROUPS = "abcdef"


@settings(max_examples=100, deadline=None)
@given(
    edges=st.sets(st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS)).filter(lambda edge: edge[0] < edge[1])),
    with_user=st.sets(st.sampled_from(GROUPS)),
    direct=st.sets(st.sampled_from(GROUPS), min_size=1),
    renamed=st.permutations(GROUPS),
)
def test_groups_of_groups(
    tmp_path_factory: pytest.TempPathFactory,
    edges: set[tuple[str, str]],
    with_user: set[str],
    direct: set[str],
    renamed: list[str],
) -> None:
    names = dict(zip(GROUPS, renamed, strict=True))  # so that a child's name may come before its parent's
    parents: dict[str, set[str]] = {group: set() for group in GROUPS}
    for parent, child in edges:
        parents[names[child]].add(names[parent])
    users = {names[group]: f"user-{names[group]}" for group in with_user}
    lines = [line for group in sorted(direct) for line in (f"[{names[group]}]", "n1")]
    lines += [f"[{group}]" for group in GROUPS]
    lines += [line for child, above in parents.items() for parent in above for line in (f"[{parent}:children]", child)]
    lines += [line for group, user in users.items() for line in (f"[{group}:vars]", f"ansible_user={user}")]
    path = tmp_path_factory.mktemp("ansible") / "hosts.ini"
    path.write_text("\n".join(lines))
    (node,) = load_fleet(path).nodes
    assert node.ssh.user == _reference_user(parents, users, {names[group] for group in direct})


def test_two_inventories_each_have_an_all_of_their_own(tmp_path: Path) -> None:
    for name in ("prod", "lab"):
        folder = tmp_path / name
        (folder / "group_vars").mkdir(parents=True)
        (folder / "hosts.ini").write_text(f"[shared]\n{name}1\n[all:vars]\nansible_user={name}\nnote={name}\n")
        (folder / "group_vars/all.yml").write_text(f"sparkctl_site: {name}\n")
        (folder / "group_vars/shared.yml").write_text("rack: '{{ note }}'\n")
    path = tmp_path / "fleet.yaml"
    path.write_text("include: [prod/hosts.ini, lab/hosts.ini]\ndefaults: {ssh: {user: d, port: 7}}\nnodes: own\n")
    seen = {node.node_id: (node.ssh.user, node.ssh.port, node.site, node.rack) for node in load_fleet(path).nodes}
    assert seen == {
        "lab1": ("lab", 7, "lab", "lab"),
        "own": ("d", 7, None, None),
        "prod1": ("prod", 7, "prod", "prod"),
    }


def test_variables_that_mean_nothing_to_us_may_differ_between_files(tmp_path: Path) -> None:
    (tmp_path / "one.ini").write_text("n1 role=a ansible_user=x\n")
    (tmp_path / "two.ini").write_text("n1 role=b ansible_user=x\n")
    path = tmp_path / "fleet.yaml"
    path.write_text("include: [one.ini, two.ini]\n")
    assert load_fleet(path).nodes[0].ssh.user == "x"
    (tmp_path / "two.ini").write_text("n1 ansible_user=y\n")
    with pytest.raises(UsageError, match="another ansible_user here than at"):
        load_fleet(path)

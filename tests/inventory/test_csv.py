"""CSV inventories."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.inventory.csv_file import COLUMNS, NAME_COLUMNS
from sparkctl.inventory.values import LISTS, SCALARS
from sparkctl.model.inventory import Fleet

Load = Callable[..., Fleet]
Check = Callable[..., list[str]]


def test_every_column(load: Load, tmp_path: Path) -> None:
    fleet = load(
        "name,host,port,user,identity_files,jump,transport,elevation,site,rack,power_group,"
        "unit,state,serial,groups,Asset Tag,label.owner\n"
        "n1,10.0.0.1,2222,ops,keys/a ~/b,one;two,paramiko,root,s,r,p,u,ready,0012,g h,77,ml\n"
        "n2,10.0.0.2,,,,,,,,,,u,,,g,,\n",
        "nodes.csv",
    )
    first, second = fleet.nodes
    assert (first.ssh.host, first.ssh.port, first.ssh.user) == ("10.0.0.1", 2222, "ops")
    assert first.ssh.identity_files == [tmp_path / "keys/a", Path("~/b")]
    assert first.ssh.jump == ["one", "two"]
    assert (first.transport, first.elevation) == ("paramiko", "root")
    assert (first.site, first.rack, first.power_group, first.unit, first.state) == ("s", "r", "p", "u", "ready")
    assert (first.serial, first.groups, first.labels) == ("0012", ["g", "h"], {"asset_tag": "77", "owner": "ml"})
    assert (second.ssh.port, second.labels, second.groups) == (None, {}, ["g"])
    assert first.origin.endswith("nodes.csv:2")


@pytest.mark.parametrize(
    "text",
    [
        "name,rack\nn1,a1\nn2,a1\n",
        "\ufeffName;Rack\r\nn1;a1\r\n\r\nn2;a1\r\n",
        'node\track\n"n1"\ta1\n# not yet: n3\ta1\nn2\ta1\n',
        "rack,hostname\na1,n1\na1,n2",
    ],
)
def test_delimiters_line_ends_and_comments(load: Load, text: str) -> None:
    assert [(node.node_id, node.rack) for node in load(text, "nodes.csv").nodes] == [("n1", "a1"), ("n2", "a1")]


def test_csv_is_recognised_by_its_header(load: Load) -> None:
    assert load("name,rack\nn1,a1\n", "export").nodes[0].rack == "a1"


def test_quoted_cells_may_span_lines_and_the_next_line_is_still_right(check: Check) -> None:
    assert check('name,note,port\nn1,"a\nb",1\nn2,c,x\n', "nodes.csv") == [
        "error 2: n1: labels.note must be one printable line of 1 to 1,000 characters, not 'a\\u000ab'",
        "error 4: n2: ssh.port must be a whole number from 1 to 65535, not 'x'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rack,site\na,b\n", "error 1: the header has no column for the node's name; it has rack, site"),
        ("name,rack\nn1\n", "error 2: the row has 1 cells, the header 2"),
        ("name,rack\n,a1\nn1,\n", "error 2: the row has no name"),
        ("name,ip,host\nn1,a,b\n", "error 1: host: two columns set ssh.host"),
        (
            "name,ssh password\nn1,x\n",
            "error 1: ssh_password: ssh_password is a secret by its name, and secrets are not read",
        ),
        ("name,api_token\nn1,x\n", "error 1: api_token: api_token is a secret by its name, and secrets are not read"),
        ("name,\nn1,x\n", "error 1: column 2 has no header"),
        ("name,rack\nn1,a\nn1,b\n", "error 3: n1: n1 is already described on line 2"),
        ('name,rack\nn1,"a\n', "error 2: this is not valid CSV: unexpected end of data"),
        ("name,rack\n-n,a\n", "error 2: -n: '-n' is not a valid name of a node"),
        ("name,rack\n", "error the inventory describes no node"),
        (f"name,rack\nn1,{'a' * 200_000}\n", "error 2: this is not valid CSV: field larger than field limit (131072)"),
    ],
)
def test_problems(check: Check, text: str, problem: str) -> None:
    assert problem in check(text, "nodes.csv")


def test_every_setting_has_a_column() -> None:
    assert set(COLUMNS.values()) - {"groups"} == {*SCALARS, *LISTS}
    assert not set(NAME_COLUMNS) & set(COLUMNS)

"""A node as the inventory describes it, and the fleet it belongs to."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Text, Word
from sparkctl.model.vocabulary import Elevation, Severity

HostKeyPolicy = Literal["pinned", "accept-new"]
TransportName = Literal["asyncssh", "paramiko", "local"]


class SshSettings(Record):
    """How to reach a node over SSH. What is left out is asked of `ssh_config`, then of OpenSSH's defaults.

    `jump` lists jump hosts in the order they are passed, each `[user@]host[:port]`. Paths are absolute or begin with
    `~`; the inventory readers anchor relative ones at the folder of the file that names them.
    `certificate_files` are OpenSSH user certificates for the keys beside them.
    """

    host: Word | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    user: Word | None = None
    identity_files: list[Path] = Field(default_factory=list)
    certificate_files: list[Path] = Field(default_factory=list)
    agent: bool = True
    jump: list[Word] = Field(default_factory=list)
    config_file: Path | None = None
    known_hosts_files: list[Path] = Field(default_factory=list)
    host_key_policy: HostKeyPolicy = "pinned"


class Node(Record):
    """One node, with every group setting already applied.

    `unit` names the pair of cabled nodes it belongs to; nodes of one `power_group` lose power together.
    `groups` names every group it is in, those of its groups' parents included, sorted by name.
    `origin` says where the entry stands (`fleet.yaml:12`).
    """

    node_id: NodeId
    transport: TransportName = "asyncssh"
    elevation: Elevation = Elevation.NONE
    ssh: SshSettings = SshSettings()
    groups: list[Word] = Field(default_factory=list)
    unit: Word | None = None
    site: Word | None = None
    rack: Word | None = None
    power_group: Word | None = None
    state: Word | None = None
    serial: Word | None = None
    labels: dict[Word, Text] = {}
    simulated: bool = False
    origin: Text


class Fleet(Record):
    """All nodes of one inventory, sorted by name as a person would (`spark2` before `spark10`), and the files read."""

    fleet_schema: Annotated[Literal["sparkctl.fleet/1"], Field(alias="schema")] = "sparkctl.fleet/1"
    nodes: list[Node]
    sources: list[Text]


class Problem(Record):
    """One thing wrong with an inventory: where it stands, what it is, and what to do about it.

    `line` counts from 1; `key` is the dotted path of the setting (`nodes.spark01.ssh.port`). An inventory with a
    problem of severity `error` is not used.
    """

    severity: Severity
    file: Text
    line: Annotated[int, Field(ge=1)] | None
    key: Text | None
    message: Text
    action: Text

    @property
    def sentence(self) -> str:
        """The place and the message on one line, as compilers print them."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)

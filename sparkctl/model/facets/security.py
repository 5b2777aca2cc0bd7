"""What protects a node, and what it leaves open; names and settings only."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import MAX_INTEGER, Record, Text, Word
from sparkctl.model.facets.base import Names, Number


class RootEncryption(Record):
    """Whether dm-crypt lies anywhere below the root file system on `device`; `kind` is LUKS2, LUKS1, PLAIN, ..."""

    encrypted: bool
    kind: Word | None = None
    device: Word | None = None


class SshPolicy(Record):
    """The SSH server's settings by their name in lower case; `without-password` is written `prohibit-password`.

    `source` says whether sshd told the effective ones (`sshd -T`, root only) or they were read from its `files`. Of
    files, only what is set there is told: what is absent has sshd's own default. `match_blocks` is true where some
    settings hold for some connections only; those are not listed. Null: not every file may be read.
    """

    source: Literal["sshd -T", "files"]
    settings: Annotated[dict[Word, Text | Annotated[list[Text], Field(max_length=100)]], Field(max_length=64)]
    match_blocks: bool | None = None


class AutomaticUpdates(Record):
    """Whether apt refreshes its lists by itself, and whether unattended-upgrades is installed and switched on."""

    package_lists: bool
    unattended_upgrades: bool


class BaseChain(Record):
    """A chain that the kernel calls at `hook`; `policy` is what becomes of packets that no rule decides."""

    hook: Word
    policy: Word | None = None


class Firewall(Record):
    """`ufw_enabled` is null where ufw is not installed. `base_chains` of nftables by `family table chain`: root only.

    A firewall of another kind (a provider's, or eBPF) does not show here.
    """

    ufw_enabled: bool | None = None
    ufw_input: Word | None = None
    base_chains: Annotated[dict[Word, BaseChain], Field(max_length=200)] | None = None


class Listener(Record):
    """Who opened a port: the user's name (null for one without), and the programs, root only."""

    user: Word | None = None
    programs: Annotated[list[Word], Field(max_length=16)] | None = None


Sysctl = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class Security(Record):
    """Protection and exposure.

    `lockdown` is the kernel's mode: none, integrity, confidentiality. `secure_boot` and `setup_mode` are null without
    UEFI. `tpm_version` is the major version of the first TPM. `ima_present` says that the kernel has IMA, not that a
    policy is loaded. `login_users` are local users whose shell is one, `root_users` those with uid 0,
    `privileged_groups` the members of groups that are as good as root. `sudoers_files` are names in /etc/sudoers.d.
    `root_password` is `none` where root needs none. `listening` is keyed `tcp 0.0.0.0:22`; ports that the kernel
    hands out by itself are volatile. `sysctls` that the kernel does not know are left out. `cpu_vulnerabilities` is in
    the kernel's words.
    """

    root_encryption: RootEncryption | None = None
    lockdown: Word | None = None
    security_modules: Names | None = None
    apparmor_enabled: bool | None = None
    ima_present: bool | None = None
    module_signatures_enforced: bool | None = None
    uefi: bool | None = None
    secure_boot: bool | None = None
    setup_mode: bool | None = None
    tpm_version: Number | None = None
    ssh: SshPolicy | None = None
    login_users: Names | None = None
    root_users: Names | None = None
    privileged_groups: Annotated[dict[Word, Names], Field(max_length=16)] | None = None
    sudoers_files: Names | None = None
    root_password: Literal["locked", "none", "set"] | None = None
    automatic_updates: AutomaticUpdates | None = None
    firewall: Firewall
    listening: Annotated[dict[Word, Listener], Field(max_length=300)] | None = None
    sysctls: Annotated[dict[Word, Sysctl], Field(max_length=64)] | None = None
    cpu_vulnerabilities: Annotated[dict[Word, Text], Field(max_length=100)] | None = None


class SecurityVolatile(Record):
    """Open ports that the kernel chose, such as those of mDNS."""

    ephemeral_listeners: Annotated[list[Word], Field(max_length=300)] = []

"""What a site gives every node: services, trust, accounts, and where software comes from."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from sparkctl.model.base import PRINTABLE, Record, Text, Word

Pem = Annotated[str, Field(min_length=1, max_length=262_144)]
Host = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=300)]
"""A host, which may have a port, or a network."""
KeyLine = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=8000)]
"""A public key of OpenSSH in one line."""
Mode = Annotated[str, Field(pattern=r"^0[0-7]{3}$")]


class AptSource(Record):
    """One apt source in the form of deb822; `key` is the armoured OpenPGP key that must have signed it."""

    name: Word
    uris: Annotated[list[Text], Field(min_length=1)]
    suites: Annotated[list[Word], Field(min_length=1)]
    components: list[Word]
    architectures: list[Word]
    key: Pem


class AptPin(Record):
    """Which version of packages apt prefers (apt_preferences(5))."""

    name: Word
    packages: Annotated[list[Word], Field(min_length=1)]
    pin: Text
    priority: Annotated[int, Field(ge=-32768, le=32767)]


class Registry(Record):
    """A registry of containers of the site: its CA, and the registries whose images it serves."""

    host: Host
    ca: Pem | None
    mirror_of: list[Host]


class Account(Record):
    """Somebody who may sign in. `password_hash` is for the console alone; over SSH only keys count."""

    name: Word
    password_hash: Text | None = Field(repr=False)
    ssh_keys: list[KeyLine]
    groups: list[Word]
    sudo: bool


class PlacedFile(Record):
    """A file that the first-boot hook puts in place once its digest was proven."""

    target: Text
    mode: Mode
    source: Path


class Proxy(Record):
    """Addresses without a login."""

    http: Text | None
    https: Text | None
    no_proxy: list[Host]


class SiteNetwork(Record):
    """What all nodes share of their network; a label `gateway` of a node goes before that of the site."""

    gateway: Word | None
    mtu: Annotated[int, Field(ge=1280, le=9216)] | None
    dns: list[Word]
    search: list[Host]


class BootSettings(Record):
    """Where an installer finds its seed over HTTP, and the kernel and initrd that grub is to load."""

    url: Text
    kernel: Text
    initrd: Text


class Site(Record):
    """A site file, read and checked. `revision` is raised to have nodes apply a changed seed as if it were new."""

    revision: Annotated[int, Field(ge=1, le=999_999)]
    domain: Host | None
    locale: Word
    timezone: Word
    keyboard: Word
    banner: Annotated[str, Field(max_length=4000)] | None
    ntp: list[Host]
    ca: list[Pem]
    network: SiteNetwork
    proxy: Proxy
    sources: list[AptSource]
    silenced_sources: list[Word]
    pins: list[AptPin]
    packages: list[Word]
    registries: list[Registry]
    accounts: list[Account]
    user_ca: list[KeyLine]
    files: list[PlacedFile]
    storage: Word
    boot: BootSettings | None

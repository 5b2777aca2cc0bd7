"""How a node is connected."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Word
from sparkctl.model.facets.base import Names, Number

InterfaceKind = Literal[
    "ethernet", "wifi", "infiniband", "loopback", "bridge", "bond", "vlan", "tun", "wireguard", "container", "virtual"
]
"""`container`: a bridge or tunnel of a container engine. `virtual`: without hardware and of no other kind."""


class Interface(Record):
    """A network interface.

    `up` is what the administrator wants, `carrier` whether a partner answers (null while the interface is down).
    `speed_mbit_s` is null without a link. `device` is the PCI address or the USB port behind it; its firmware stands in
    the firmware facet under that address. `permanent_mac` is what the hardware brought, `mac` what is in use.
    Carrier, speed and MAC of a container bridge follow the containers that run: they are left out.
    `altnames`, `parent` and `vlan` are empty or null when `addresses` has a gap.
    """

    kind: InterfaceKind
    up: bool | None = None
    carrier: bool | None = None
    mac: Word | None = None
    permanent_mac: Word | None = None
    mtu: Number | None = None
    speed_mbit_s: Number | None = None
    duplex: Word | None = None
    driver: Word | None = None
    device: Word | None = None
    master: Word | None = None
    altnames: Names
    parent: Word | None = None
    vlan: Annotated[int, Field(ge=0, le=4095)] | None = None


class Address(Record):
    """An address with its prefix; `dynamic` when a server or a router gave it for a time."""

    family: Literal["IPv4", "IPv6"]
    scope: Word | None = None
    dynamic: bool


class DefaultRoute(Record):
    """A default route of the main table; no `gateway` when the interface leads on by itself."""

    family: Literal["IPv4", "IPv6"]
    interface: Word
    gateway: Word | None = None
    metric: Number


class Resolver(Record):
    """The name servers that are asked in the end, and where that stands; `stub` when systemd-resolved asks for all."""

    source: Word
    stub: bool
    servers: Names
    search: Names


class Bond(Record):
    """A bond of interfaces, in the driver's words; `miimon_ms` is how often it looks at their links."""

    mode: Word | None = None
    members: Names
    miimon_ms: Number | None = None
    lacp_rate: Word | None = None
    hash_policy: Word | None = None


class Bridge(Record):
    """A bridge; members that belong to single containers are left out."""

    members: Names
    stp: bool | None = None
    vlan_filtering: bool | None = None


class RdmaPort(Record):
    """A port of an RDMA device, states in the kernel's words; `lanes` as `2X NDR`."""

    state: Word | None = None
    physical_state: Word | None = None
    rate_gbit_s: Annotated[float, Field(ge=0, le=100_000)] | None = None
    lanes: Word | None = None
    link_layer: Word | None = None


class RdmaDevice(Record):
    """An RDMA device; `device` is its PCI address, `hardware` the chip's type."""

    node_guid: Word | None = None
    firmware: Word | None = None
    hardware: Word | None = None
    device: Word | None = None
    interfaces: Names
    ports: Annotated[dict[Word, RdmaPort], Field(max_length=16)]


class Cage(Record):
    """A cage of a ConnectX-7 of a GB10 with the two PCIe functions that serve it; `live` of them have a link."""

    functions: Names
    interfaces: Names
    live: Number


class Network(Record):
    """Interfaces, addresses, routes and what names are asked of.

    Interfaces, addresses, bonds and bridges by interface; routes by family and interface; RDMA devices by name.
    Interfaces of single containers, temporary privacy addresses, addresses of scope host, and link-local ones of
    container bridges are left out. `connectx_cages` is null where no ConnectX-7 is on the bus, which is usual without a
    cable. `wifi_regulatory_domain` is a country, `00` for the world, null without a radio. `proxies` are hosts by where
    they are set (`apt.http`, `environment.https_proxy`).
    """

    interfaces: Annotated[dict[Word, Interface], Field(max_length=128)] | None = None
    addresses: Annotated[dict[Word, Annotated[dict[Word, Address], Field(max_length=256)]], Field(max_length=128)] | (
        None
    ) = None
    routes: Annotated[dict[Word, DefaultRoute], Field(max_length=64)] | None = None
    resolver: Resolver | None = None
    bonds: Annotated[dict[Word, Bond], Field(max_length=128)] | None = None
    bridges: Annotated[dict[Word, Bridge], Field(max_length=512)] | None = None
    rdma: Annotated[dict[Word, RdmaDevice], Field(max_length=64)] | None = None
    connectx_cages: Annotated[dict[Word, Cage], Field(max_length=8)] | None = None
    wifi_regulatory_domain: Word | None = None
    proxies: Annotated[dict[Word, Word], Field(max_length=64)] = {}


class Traffic(Record):
    """Counters since the interface was made."""

    rx_bytes: Number | None = None
    tx_bytes: Number | None = None
    rx_errors: Number | None = None
    tx_errors: Number | None = None
    rx_dropped: Number | None = None
    tx_dropped: Number | None = None
    carrier_changes: Number | None = None


class NetworkVolatile(Record):
    """Counters and remaining seconds of IPv4 leases by interface, and how many interfaces single containers have."""

    traffic: Annotated[dict[Word, Traffic], Field(max_length=128)] = {}
    leases_s: Annotated[dict[Word, Number], Field(max_length=128)] = {}
    container_interfaces: Number | None = None

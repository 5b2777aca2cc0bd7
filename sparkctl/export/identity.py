"""By what a node is the same node tomorrow: a key from evidence of identity, and the ids that follow from it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid5

from sparkctl.model.inventory import Node
from sparkctl.model.standing import NodeStanding

NAMESPACE = UUID("8f0d4a52-6c1b-5e8a-9b57-3a4f1d1c7e60")
"""Under this every id of an export is made; it never changes."""


@dataclass(frozen=True, slots=True)
class CorrelationKey:
    """What a node is recognised by in other systems, and where that comes from.

    `source` is `inventory.serial`, a source of the identity facet (`smbios.product_serial`, `dgx_release.serial`),
    `visit.serial` for what a node said in a visit, or `inventory.name` where no serial can be gone by.
    """

    value: str
    source: str

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial, and not just the name in the inventory."""
        return self.source != "inventory.name"

    @property
    def uuid(self) -> UUID:
        """The id of the node. It follows from the value alone, so that it does not matter who told the serial."""
        return _uuid(f"{'serial' if self.is_serial else 'name'}:{self.value}")

    def id_of(self, *parts: str) -> str:
        """The id of something of the node, the same whenever the parts are."""
        return str(uuid5(self.uuid, "\n".join(parts)))


@lru_cache(maxsize=1024)
def _uuid(name: str) -> UUID:
    return uuid5(NAMESPACE, name)


def correlation_key(standing: NodeStanding, shared: Collection[str] = ()) -> CorrelationKey:
    """The key of a node.

    The enrolled serial comes first, since it does not depend on the rights of a visit; then the serial that evidence
    names (SMBIOS before the factory image), then the name in the inventory. A serial that is among `shared` identifies
    nobody: several nodes show it, as clones of an image do. machine-id and SSH host keys are never taken.
    """
    if standing.node.serial and standing.node.serial not in shared:
        return CorrelationKey(standing.node.serial, "inventory.serial")
    for serial, source in _evidence(standing):
        if serial and serial not in shared:
            return CorrelationKey(serial, source)
    return CorrelationKey(standing.node.node_id, "inventory.name")


def _evidence(standing: NodeStanding) -> list[tuple[str | None, str]]:
    identity = standing.fact("identity")
    identifiers = identity.get("identifiers") or {}
    product = identifiers.get("smbios.product_serial") or {}
    found: list[tuple[str | None, str]] = []
    if not product.get("placeholder", True):
        found.append((product.get("value"), "smbios.product_serial"))
    found.append((identity.get("serial"), identity.get("serial_source") or "identity.serial"))
    for record in (standing.last, standing.health, standing.reset):
        if record is not None and record.envelope is not None:
            node = record.envelope.meta.node
            found.append((node.serial if node.serial_source == "smbios.product_serial" else None, "visit.serial"))
    return found


def contested(nodes: Iterable[Node], shown: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """For each node, the serials that it may not be recognised by, since another node has a claim to them.

    `shown` are the nodes of each serial by evidence. A serial that is enrolled for one node only stays that node's,
    whoever shows it.
    """
    claims = {serial: set(names) for serial, names in shown.items()}
    enrolled: dict[str, set[str]] = {}
    for node in nodes:
        if node.serial:
            claims.setdefault(node.serial, set()).add(node.node_id)
            enrolled.setdefault(node.serial, set()).add(node.node_id)
    found: dict[str, set[str]] = {}
    for serial, names in claims.items():
        owners = enrolled.get(serial, set())
        for name in names if len(names) > 1 else ():
            if owners != {name}:
                found.setdefault(name, set()).add(serial)
    return {name: frozenset(serials) for name, serials in found.items()}

"""A node as it is exported: what is known of it, the moment of the export, and its key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sparkctl.export.fields import pick
from sparkctl.export.identity import CorrelationKey, correlation_key
from sparkctl.model.facets.catalogue import FACETS
from sparkctl.model.facets.paths import from_text
from sparkctl.model.health import Finding, Rollup
from sparkctl.model.inventory import Node
from sparkctl.model.reset import Transition
from sparkctl.model.standing import NodeStanding
from sparkctl.model.vocabulary import Outcome, Status


@dataclass(frozen=True)
class Subject:
    """One node to be exported.

    `at` is the moment of the export. `shared` are serials that several nodes show. `stale` names what is known and
    was left out of `standing` because of its age: facets, `health`, `reset`. `known_as` is the key where `standing` has
    not all that it is taken from: who a node is does not age.
    """

    standing: NodeStanding
    at: datetime
    shared: frozenset[str] = frozenset()
    stale: tuple[str, ...] = ()
    known_as: CorrelationKey | None = None

    @cached_property
    def key(self) -> CorrelationKey:
        """What the node is recognised by."""
        return self.known_as or correlation_key(self.standing, self.shared)

    @property
    def node(self) -> Node:
        """The node as the inventory has it."""
        return self.standing.node

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self.node.node_id

    @cached_property
    def uuid(self) -> str:
        """Its id in other systems."""
        return str(self.key.uuid)

    def fact(self, path: str) -> Any:
        """The value of a field of a facet, None where nothing is known, be it a gap or never collected."""
        facet, *names = from_text(path)
        return pick(self.standing.fact(facet), *names)

    def members(self, path: str) -> Mapping[str, Any]:
        """A map of a facet by its names, empty where nothing is known."""
        found = self.fact(path)
        return found if isinstance(found, Mapping) else {}

    @property
    def simulated(self) -> bool:
        """Whether the inventory, or the newest record, calls it simulated."""
        last = self.standing.last
        return self.node.simulated or (last is not None and last.simulated)

    @property
    def reported(self) -> bool | None:
        """Whether it answered the newest visit; None when it was never visited."""
        last = self.standing.last
        return None if last is None else last.outcome is Outcome.REPORTED

    @property
    def is_known(self) -> bool:
        """Whether there is anything to export beside what the inventory says."""
        return bool(self.standing.health or self.standing.reset or self.standing.facets)

    @property
    def serial(self) -> str | None:
        """Its serial: the enrolled one, else the one that evidence names, disputed or shared though it may be."""
        return self.node.serial or self.fact("identity.serial") or (self.key.value if self.key.is_serial else None)

    @property
    def serial_source(self) -> str | None:
        """Where the serial comes from."""
        if self.node.serial:
            return "inventory.serial"
        if self.fact("identity.serial"):
            return str(self.fact("identity.serial_source") or "identity.serial")
        return self.key.source if self.key.is_serial else None

    @cached_property
    def gaps(self) -> list[str]:
        """What could not be read, as `FACET.FIELD=REASON`."""
        return [
            f"{facet}{'.' + path if path else ''}={reason}"
            for facet, known in sorted(self.standing.facets.items())
            for path, reason in sorted((known.document.get("gaps") or {}).items())
        ]

    @property
    def never_collected(self) -> list[str]:
        """The facets of which nothing was ever collected."""
        return [facet for facet in FACETS if facet not in self.standing.facets and facet not in self.stale]

    @property
    def facts_at(self) -> datetime | None:
        """When the oldest of its facets was seen last."""
        return min((known.seen for known in self.standing.facets.values()), default=None)

    @property
    def newest_facts_at(self) -> datetime | None:
        """When the newest of its facets was seen last."""
        return max((known.seen for known in self.standing.facets.values()), default=None)

    @property
    def health_at(self) -> datetime | None:
        """When its newest findings were made."""
        return self.standing.health.ts if self.standing.health and self.standing.health_data else None

    @property
    def findings(self) -> list[Finding]:
        """Its newest findings, without those that do not apply to it."""
        data = self.standing.health_data
        return [found for found in data.findings if found.status is not Status.NOT_APPLICABLE] if data else []

    @property
    def rollup(self) -> Rollup | None:
        """The roll-up of its newest findings."""
        data = self.standing.health_data
        return data.rollup if data else None

    def checks(self, status: Status) -> list[str]:
        """The checks of a status."""
        return [found.check for found in self.findings if found.status is status]

    @property
    def boot_end(self) -> Transition | None:
        """How its newest boot but the running one ended."""
        data = self.standing.reset_data
        return data.transitions[0] if data and data.transitions else None

    @cached_property
    def addresses(self) -> tuple[tuple[str, str, str], ...]:
        """Its addresses as interface, address and prefix, without link-local ones and those of container bridges."""
        kinds = self.members("network.interfaces")
        return tuple(
            (interface, *address.partition("/")[::2])
            for interface, found in self.members("network.addresses").items()
            if pick(kinds, interface, "kind") not in ("container", "loopback")
            for address, about in found.items()
            if about.get("scope") != "link"
        )

    def macs(self) -> dict[str, str]:
        """The permanent MACs of its own adapters by interface."""
        return dict(self.members("identity.macs"))


def iso(moment: datetime | None) -> str | None:
    """A moment in UTC as RFC 3339 writes it, with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(moment: datetime | None) -> int | None:
    """Milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1000)

"""What every command about playbooks begins with: the places, the rules of the site, and the states of nodes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.actor import actor
from sparkctl.app.node_states import entries_of
from sparkctl.app.places import Places
from sparkctl.app.playbook_site import Site, read_site, site_file
from sparkctl.app.sink_file import plan_at
from sparkctl.app.telling import Telling
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.lifecycle.standing import standings
from sparkctl.model.inventory import Node
from sparkctl.model.lifecycle import LifecycleState
from sparkctl.model.printable import printable
from sparkctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """Where things are for one command, and the rules there; `option` is the file that was named."""

    places: Places
    option: Path | None = None

    @property
    def site(self) -> Site:
        """The rules of the site; raises UsageError when something is wrong with their file."""
        return read_site(self.site_file)

    @property
    def telling(self) -> Telling:
        """The sinks that hear of runs; raises UsageError when something is wrong with their file."""
        return Telling(plan_at(self.places), load_fleet(self.places.fleet))

    @property
    def site_file(self) -> Path | None:
        """Where they stand, None where there is no file of them."""
        try:
            fleet = self.places.fleet
        except UsageError:
            fleet = None
        return site_file(self.option, self.places.environ, fleet)


def state_of_nodes(store: Store) -> Callable[[Node], str | None]:
    """The state of the life of each node: by the ledger, or by the inventory for one that the ledger has nothing of."""
    found = standings(entries_of(store))

    def state_of(node: Node) -> str | None:
        standing = found.get(node.node_id)
        recorded = standing is not None and standing.state is not LifecycleState.UNRECORDED
        return standing.state.value if standing is not None and recorded else node.state

    return state_of


def by_whom(said: str | None) -> str:
    """Who says something: a name that was given, or this user."""
    if said is None:
        return actor()
    words = printable(said, 120)
    if not words.strip():
        raise UsageError("--by must be a name")
    return words

"""What every command about playbooks begins with: the places, the rules of the site, and the states of nodes."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.places import Places
from sparkctl.app.playbook_site import Site, read_site, site_file
from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node
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
    def site_file(self) -> Path | None:
        """Where they stand, None where there is no file of them."""
        try:
            fleet = self.places.fleet
        except UsageError:
            fleet = None
        return site_file(self.option, self.places.environ, fleet)


def state_of_nodes(_store: Store) -> Callable[[Node], str | None]:
    """The state of the life of each node."""
    return lambda node: node.state


def by_whom(said: str | None) -> str:
    """Who says something: a name that was given, or this user."""
    if said is not None:
        words = printable(said, 120)
        if not words.strip():
            raise UsageError("--by must be a name")
        return words
    try:
        return printable(getpass.getuser(), 120)
    except (KeyError, OSError):
        return "unknown"

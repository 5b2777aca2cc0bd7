"""Where things are for one command: the inventory, the state folder, the operator's SSH files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.store.location import state_dir
from sparkctl.transport.settings import TransportSettings

FLEET_VARIABLE = "SPARKCTL_FLEET"
FLEET_NAME = "fleet.yaml"
SINKS_VARIABLE = "SPARKCTL_SINKS"
SINKS_NAME = "sinks.yaml"
NO_SINKS = Path("none")
"""In place of a file of sinks: nothing is sent."""


@dataclass(frozen=True, slots=True)
class Places:
    """What the command line said about places, and the environment for what it did not say."""

    fleet_option: Path | None
    state_option: Path | None
    environ: Mapping[str, str]
    sinks_option: Path | None = None

    @property
    def sinks(self) -> Path | None:
        """The file of sinks: `--sinks`, then SPARKCTL_SINKS, then `sinks.yaml` beside the inventory if it is there."""
        named = self.sinks_option or (Path(found) if (found := self.environ.get(SINKS_VARIABLE)) else None)
        if named is not None:
            return None if named == NO_SINKS else named
        try:
            beside = self.fleet.parent / SINKS_NAME
        except UsageError:
            return None
        return beside if os.path.lexists(beside) else None

    @property
    def fleet(self) -> Path:
        """The inventory: `--fleet`, then SPARKCTL_FLEET, then `fleet.yaml` here; raises UsageError without one."""
        if self.fleet_option is not None:
            return self.fleet_option
        if named := self.environ.get(FLEET_VARIABLE):
            return Path(named)
        here = Path(FLEET_NAME)
        if here.is_file():
            return here
        raise UsageError(
            f"there is no {FLEET_NAME} in {_here()}",
            hint=f"name an inventory with --fleet or {FLEET_VARIABLE}, or try a simulated fleet: sparkctl demo",
        )

    @property
    def state(self) -> Path:
        """The state folder, which need not exist yet."""
        try:
            return state_dir(self.state_option, self.environ)
        except (OSError, RuntimeError) as error:  # no home folder, or the current one is gone
            raise UsageError(f"the state folder cannot be told: {error}", hint="name one with --state") from error

    @property
    def transport_settings(self) -> TransportSettings:
        """The operator's SSH files, and our own pins in the state folder."""
        try:
            home = Path.home()
        except RuntimeError as error:
            raise UsageError("this user has no home folder", hint="set HOME") from error
        return TransportSettings.of_home(self.state / "known_hosts", home, self.environ.get("SSH_AUTH_SOCK"))


def places(fleet: Path | None, state: Path | None, sinks: Path | None = None) -> Places:
    """Places as this process's environment has them."""
    return Places(fleet, state, os.environ, sinks)


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "the current folder, which is gone"

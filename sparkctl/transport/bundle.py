"""A bundle as the node: programs run here, over the tree that was unpacked from it, and see nothing else."""

import sys
from dataclasses import replace
from pathlib import Path

from sparkctl.model.inventory import Node
from sparkctl.transport.local import LocalSession
from sparkctl.transport.seam import Command, Deadlines, Ended


class BundleTransport:
    """Runs programs over one tree; there is no connection, no login and no host key."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree

    async def connect(self, node: Node, deadlines: Deadlines) -> "BundleSession":  # noqa: ARG002 - it cannot fail
        """A session over the tree."""
        return BundleSession(self._tree)

    async def close(self) -> None:
        """There is nothing to let go of."""


class BundleSession(LocalSession):
    """Runs a program by the Python that runs this one, whatever rights it had on the node."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree

    async def execute(self, command: Command, seconds: float) -> Ended:
        """Run one command to its end, over the tree."""
        arguments = command.argv[command.argv.index("python3") + 1 :]
        argv = (sys.executable, *arguments, f"--root={self._tree}")
        return await super().execute(replace(command, argv=argv), seconds)

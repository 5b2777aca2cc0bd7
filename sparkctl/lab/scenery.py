"""The trees of a running lab: written soon after it came up, at the latest when a visit needs one."""

import asyncio
import time
from pathlib import Path

from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.state import Lab, LabNode
from sparkctl.lab.tree import Pool, root_view, write_tree


class Scenery:
    """Keeps the tree of each node in step with its fault."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._pool = Pool(lab.directory / "shared")
        self._nodes = {node.name: node for node in lab.nodes}
        self._written: dict[str, LabNode] = {}
        self._locks = {node.name: asyncio.Lock() for node in lab.nodes}

    async def write_all(self) -> None:
        """Write the trees that no visit has asked for yet."""
        for name in tuple(self._nodes):
            await self.tree(name)

    async def change(self, node: LabNode) -> None:
        """Write the tree of a node anew."""
        self._nodes[node.name] = node
        await self.tree(node.name)

    async def tree(self, name: str) -> Path:
        """The folder of a node's tree; it stays what it is while a program reads it."""
        async with self._locks[name]:
            node = self._nodes[name]
            if self._written.get(name) != node:
                await asyncio.to_thread(self._write, node)
                self._written[name] = node
            return self._lab.tree(name).resolve()

    async def root_tree(self, name: str) -> Path:
        """The same as root of the node sees it."""
        tree = await self.tree(name)
        async with self._locks[name]:
            return await asyncio.to_thread(root_view, tree)

    def _write(self, node: LabNode) -> None:
        model = model_of(node.name, self._lab.seed, node.make, node.fault)
        now = time.time()
        write_tree(render(model, now), self._lab.tree(node.name), self._pool, now)

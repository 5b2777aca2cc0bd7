"""The trees of a running lab: written soon after it came up, at the latest when a visit needs one."""

import asyncio
import shutil
import time
from pathlib import Path

from sparkctl.lab import node_state
from sparkctl.lab.acted import acted, folder_of, kernel_after, restarted, tell_stand_ins
from sparkctl.lab.characters import model_of
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.node_state import RUN, UNITS, NodeState
from sparkctl.lab.render import render
from sparkctl.lab.state import Lab, LabNode
from sparkctl.lab.tree import Pool, root_view, write_tree


class Scenery:
    """Keeps the tree of each node in step with its fault."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._pool = Pool(lab.directory / "shared")
        self._nodes = {node.name: node for node in lab.nodes}
        self._written: dict[str, tuple[LabNode, NodeState]] = {}
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
            wanted = (self._nodes[name], node_state.read(folder_of(self._lab.directory, name)))
            if self._written.get(name) != wanted:
                await asyncio.to_thread(self._write, *wanted)
                self._written[name] = wanted
            return self._lab.tree(name).resolve()

    async def root_tree(self, name: str) -> Path:
        """The same as root of the node sees it."""
        tree = await self.tree(name)
        async with self._locks[name]:
            return await asyncio.to_thread(root_view, tree)

    def model(self, node: LabNode, state: NodeState, now: float) -> NodeModel:
        """A node with its fault, as acts left it by `now` (seconds since 1970)."""
        return acted(model_of(node.name, self._lab.seed, node.make, node.fault), state, now)

    def restart(self, node: LabNode) -> None:
        """Let a node come up again: another boot, perhaps another kernel; what lay in its memory is gone."""
        folder, now = folder_of(self._lab.directory, node.name), time.time()
        for name in (RUN, UNITS):
            shutil.rmtree(folder / name, ignore_errors=True)
        with node_state.changing(folder) as state:
            before = self.model(node, state, now)
            kernel = before.kernels[0] if node.fault == "reboot-other-kernel" else kernel_after(before)
            restarted(state, before, now, kernel)

    def _write(self, node: LabNode, state: NodeState) -> None:
        now = time.time()
        model, folder = self.model(node, state, now), folder_of(self._lab.directory, node.name)
        tell_stand_ins(folder, model, node.fault, self._lab.pace.lock_s)
        write_tree(render(model, now), self._lab.tree(node.name), self._pool, now)

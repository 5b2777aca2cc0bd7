"""The graph of groups: who is below whom, in which order their settings apply, and where it runs in circles.

Settings apply from the outermost group to the innermost; among groups of one depth by `ansible_group_priority`, then by
name, the last one winning. That is Ansible's order, and a fleet file follows it too.
"""

from collections.abc import Iterable

from sparkctl.inventory.draft import FleetDraft, GroupDraft, Reference
from sparkctl.inventory.problems import nearest
from sparkctl.model.printable import printable

IMPLICIT = frozenset({"ungrouped"})
"""The group that Ansible makes of hosts without a group; it is no group to a selector."""


class GroupGraph:
    """Parents, depths and ancestors of the groups of a draft; unknown children and circles are noted as problems."""

    def __init__(self, draft: FleetDraft) -> None:
        self._groups = dict(draft.groups)
        self._problems = draft.problems
        self._parents: dict[str, list[str]] = {name: [] for name in self._groups}
        self._children: dict[str, list[str]] = {name: [] for name in self._groups}
        for group in self._groups.values():
            for child in group.children:
                self._link(group, child)
        self._order = self._sorted_topologically()
        self.depths = self._depths()
        self._ancestors: dict[str, frozenset[str]] = {}
        for name in self._order:
            above = [self._ancestors[parent] | {parent} for parent in self._parents[name]]
            self._ancestors[name] = frozenset().union(*above)

    def above(self, names: Iterable[str]) -> list[str]:
        """The groups named and all their ancestors, in the order in which their settings apply."""
        found = {name for name in names if name in self._groups}
        for name in tuple(found):
            found |= self._ancestors[name]
        return sorted(found, key=lambda name: (self.depths[name], self._groups[name].priority, name))

    def related(self, one: str, other: str) -> bool:
        """Whether one of the groups is an ancestor of the other."""
        return one in self._ancestors[other] or other in self._ancestors[one]

    def _link(self, group: GroupDraft, child: Reference) -> None:
        if child.text not in self._groups:
            close = nearest(child.text, self._groups, 1)
            action = f"Did you mean {printable(close[0])}?" if close else "Declare the group, or remove its name here."
            message = f"group {printable(group.name)} names the group {printable(child.text)}, which does not exist"
            self._problems.error(child.where, message, action)
        elif child.text not in self._children[group.name]:
            self._children[group.name].append(child.text)
            self._parents[child.text].append(group.name)

    def _sorted_topologically(self) -> list[str]:
        """Parents before children. A circle is reported, then cut where it closes."""
        order: list[str] = []
        done: set[str] = set()
        for root in self._groups:
            self._visit(root, done, order)
        return order[::-1]

    def _visit(self, root: str, done: set[str], order: list[str]) -> None:
        if root in done:
            return
        path = [root]
        on_path = {root}
        waiting = [iter(tuple(self._children[root]))]
        while path:
            child = next(waiting[-1], None)
            if child is None:
                waiting.pop()
                on_path.discard(path[-1])
                done.add(path[-1])
                order.append(path.pop())
            elif child in on_path:
                self._report_circle(path[path.index(child) :])
                self._children[path[-1]].remove(child)
                self._parents[child].remove(path[-1])
            elif child not in done:
                path.append(child)
                on_path.add(child)
                waiting.append(iter(tuple(self._children[child])))

    def _report_circle(self, names: list[str]) -> None:
        shown = " -> ".join(printable(name) for name in [*names, names[0]])
        last = self._groups[names[-1]]
        where = next((child.where for child in last.children if child.text == names[0]), last.where)
        self._problems.error(where, f"groups contain each other: {shown}", "Remove one of these children.")

    def _depths(self) -> dict[str, int]:
        depths: dict[str, int] = {}
        for name in self._order:
            depths[name] = 1 + max((depths[parent] for parent in self._parents[name]), default=0)
        return depths

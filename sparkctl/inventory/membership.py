"""Which nodes are in which groups. Members may be names, globs or selectors.

Groups of plain names and globs are filled first. Selectors with fields (`rack=a1`) come second and see the nodes as
the first kind of groups made them, so that no selector depends on another.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sparkctl.inventory.draft import FleetDraft, GroupDraft, Reference
from sparkctl.inventory.selector import Evaluation, Subject, View, names_alone
from sparkctl.inventory.selector_syntax import Expression, SelectorError, parse
from sparkctl.model.printable import printable

Members = dict[str, dict[str, None]]
"""For each node the groups that name it, in the order they were met."""


def find_members(draft: FleetDraft, subjects: Callable[[Members], list[Subject]]) -> Members:
    """Return the groups of every node. `subjects` tells what selectors see, given the members found so far."""
    finder = _MemberFinder(draft)
    selections = finder.selections()
    names = View([Subject(name) for name in draft.nodes] if selections else [])
    later: list[_Selection] = []
    for selection in selections:
        if names_alone(selection.expression):
            finder.select(selection, names)
        else:
            later.append(selection)
    seen = View(subjects(finder.members) if later else [])
    for selection in later:
        finder.select(selection, seen)
    return finder.members


@dataclass(frozen=True, slots=True)
class _Selection:
    group: GroupDraft
    reference: Reference
    expression: Expression


class _MemberFinder:
    def __init__(self, draft: FleetDraft) -> None:
        self.members: Members = {name: {} for name in draft.nodes}
        self._draft = draft

    def selections(self) -> list[_Selection]:
        """Fill in members that are plain names, and return the others."""
        selections: list[_Selection] = []
        for group in self._draft.groups.values():
            for reference in group.members:
                if reference.literal:
                    self.members[reference.text][group.name] = None
                else:
                    selections += self._parsed(group, reference)
        return selections

    def select(self, selection: _Selection, view: View) -> None:
        """Put what a selector selects into its group."""
        try:
            selected = Evaluation(view, selection.reference.text).evaluate(selection.expression)
        except SelectorError as error:
            self._note(selection.group, selection.reference, error)
            return
        for index in sorted(selected):
            self.members[view.subjects[index].name][selection.group.name] = None

    def _parsed(self, group: GroupDraft, reference: Reference) -> list[_Selection]:
        try:
            return [_Selection(group, reference, parse(reference.text))]
        except SelectorError as error:
            self._note(group, reference, error)
            return []

    def _note(self, group: GroupDraft, reference: Reference, error: SelectorError) -> None:
        message = f"group {printable(group.name)}: {error.reason}, in '{printable(reference.text)}'"
        self._draft.problems.error(reference.where, message, error.hint or "Correct the name or selector.")

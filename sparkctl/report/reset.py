"""Fold how boots ended into a report, and show it: who went down unwanted, who cannot be told, what to arm."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_key, natural_sorted
from sparkctl.model.contacts import Contacts, Outage
from sparkctl.model.fleet_report import RunEnd, RunStart
from sparkctl.model.outcome import BootEnd, NodeOutcome
from sparkctl.model.reset import UnknownReason
from sparkctl.model.reset_from_here import from_here, went_together
from sparkctl.model.reset_report import (
    EndKind,
    FoldedAdvice,
    FoldedAnswer,
    FoldedUnknown,
    FromHere,
    ResetReport,
    WentTogether,
    kind_of,
)
from sparkctl.model.reset_tree import is_under
from sparkctl.model.reset_words import ANY, Antecedent, Axis, UnknownCause
from sparkctl.report.answers import Alike, Answers
from sparkctl.report.screen import STYLES, by_kind, costs, headline, notes, screen_on, show_failures, table
from sparkctl.report.words import count, names

AnswerKey = tuple[str, ...]
PRESSING = tuple(EndKind)
TITLES = {
    EndKind.UNEXPECTED: ("Went down, and nobody wanted it", "down unwanted", "fail"),
    EndKind.CUT_OFF: ("Cut off: ended without a shutdown, wanted or not", "cut off", "fail"),
    EndKind.NOT_TOLD: ("Cannot be told", "cannot be told", "unknown"),
    EndKind.ORDERLY: ("Shut down in good order; whether it was wanted is not known", "in good order", "warn"),
    EndKind.PLANNED: ("Planned", "planned", "pass"),
}
"""For each kind of end its heading, its words in a count, and its look."""
MOST_ROWS = 8  # of reasons, and of advice, on a screen that is not verbose
_FIGURES = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


class ResetTally(Answers):
    """What has been seen so far of a run that asked how boots ended; `asked` says which ends.

    `ledger` are the contacts before the run by node, `power_groups` names that of each node that has one, and `outages`
    are the times that a UPS was on battery.
    """

    def __init__(
        self,
        asked: str,
        ledger: Mapping[str, Sequence[Contacts]] | None = None,
        power_groups: Mapping[str, str] | None = None,
        outages: Sequence[Outage] = (),
    ) -> None:
        super().__init__()
        self._asked = asked
        self._ledger, self._power_groups, self._outages = ledger or {}, power_groups or {}, outages
        self._from_here: list[FromHere] = []
        self._unplanned: set[str] = set()
        self._alike: dict[AnswerKey, Alike[BootEnd]] = {}
        self._ends: Counter[AnswerKey] = Counter()
        self._before: dict[AnswerKey, Counter[Antecedent]] = {}
        self._unknown: dict[tuple[Axis, UnknownCause], Alike[UnknownReason]] = {}
        self._arm_now: dict[str, Alike[str]] = {}
        self._worst: Counter[EndKind] = Counter()
        self._untold = False
        self._node_cpu_ms = 0

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""
        if not self.count(outcome):
            return
        assert outcome.reset is not None  # noqa: S101 - decoding guarantees it
        ends = outcome.reset.ends
        self._node_cpu_ms += outcome.reset.cpu_ms
        self._join(outcome)
        self._worst[min((_kind(end) for end in ends), key=PRESSING.index)] += 1
        self._untold |= any(end.claims.termination == ANY for end in ends)
        for key in dict.fromkeys(map(_key, ends)):
            self._note(key, outcome.node_id, [end for end in ends if _key(end) == key])
        reasons = {(reason.axis, reason.cause): reason for end in reversed(ends) for reason in end.unknown}
        for why, reason in reasons.items():
            Alike.note(self._unknown, why, outcome.node_id, reason)
        for advice in outcome.reset.arm_now:
            Alike.note(self._arm_now, advice, outcome.node_id, advice)

    def _note(self, key: AnswerKey, node_id: str, ends: Sequence[BootEnd]) -> None:
        """Ends of one node that are alike."""
        Alike.note(self._alike, key, node_id, ends[0])
        self._ends[key] += len(ends)
        self._before.setdefault(key, Counter()).update({kind for end in ends for kind in end.antecedents})

    def _join(self, outcome: NodeOutcome) -> None:
        """Hold the newest end against what the bastion itself has seen."""
        seen = from_here(outcome, self._ledger.get(outcome.node_id, ()), self._outages)
        if seen is None:
            return
        self._from_here.append(seen)
        assert outcome.reset is not None  # noqa: S101 - there is an end to hold
        if not is_under(outcome.reset.ends[0].claims.termination, "orderly"):
            self._unplanned.add(outcome.node_id)

    def exit_code(self) -> ExitCode:
        """Refusals before what could not be told; how a boot ended is an answer, whatever it is."""
        if self.refused:
            return ExitCode.REFUSED
        return ExitCode.UNJUDGED if self.unreported or self._untold else ExitCode.OK

    def report(self, start: RunStart, end: RunEnd) -> ResetReport:
        """The report of the whole run; raises ValueError when a selected node is not accounted for."""
        return ResetReport(
            **self.told(start, end, self.exit_code()),
            asked=self._asked,
            worst={kind: self._worst[kind] for kind in PRESSING if self._worst[kind]},
            answers=sorted((self._answer(key) for key in self._alike), key=_pressing),
            unknown=sorted(
                map(_unknown, self._unknown.values()), key=lambda one: (one.axis, -len(one.nodes), one.cause)
            ),
            arm_now=sorted(map(_advice, self._arm_now.values()), key=lambda one: (-len(one.nodes), one.advice)),
            from_here=sorted(self._from_here, key=lambda one: natural_key(one.node)),
            together=went_together(self._from_here, self._unplanned, self._power_groups, self._outages),
            node_cpu_ms=self._node_cpu_ms,
        )

    def _answer(self, key: AnswerKey) -> FoldedAnswer:
        alike = self._alike[key]
        return FoldedAnswer(
            kind=_kind(alike.words),
            words=alike.words.words,
            example_node=alike.example_node,
            claims=alike.words.claims,
            expected=alike.words.expected,
            data_at_risk=alike.words.data_at_risk,
            nodes=natural_sorted(alike.nodes),
            ends=self._ends[key],
            antecedents=dict(self._before[key].most_common()),
        )


def _kind(end: BootEnd) -> EndKind:
    return kind_of(end.claims, end.expected)


def _key(end: BootEnd) -> AnswerKey:
    shape = _FIGURES.sub("#", end.words)
    return (*(str(claim) for _, claim in end.claims), end.expected + end.data_at_risk, shape)


def _pressing(answer: FoldedAnswer) -> tuple[int, int, str]:
    return PRESSING.index(answer.kind), -len(answer.nodes), answer.words


def _unknown(alike: Alike[UnknownReason]) -> FoldedUnknown:
    reason = alike.words
    return FoldedUnknown(
        axis=reason.axis,
        cause=reason.cause,
        nodes=natural_sorted(alike.nodes),
        example=reason.detail,
        example_node=alike.example_node,
    )


def _advice(alike: Alike[str]) -> FoldedAdvice:
    return FoldedAdvice(advice=alike.words, nodes=natural_sorted(alike.nodes))


def show_resets(report: ResetReport, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the summary; `verbose` adds why the other axes are not known better, and the costs."""
    with screen_on(stream) as console:
        console.print(headline(report, "reset-reason", ends_in_words(report.asked)))
        console.print(_totals(report))
        for kind in PRESSING:
            _show_answers(console, kind, [one for one in report.answers if one.kind is kind])
        for title, failures in by_kind(report.failures).items():
            show_failures(console, title, failures)
        _show_together(console, report.together)
        _show_unknown(console, report, verbose=verbose)
        _show_advice(console, report.arm_now, verbose=verbose)
        notes(console, report.warnings)
        console.print()
        console.print(Text(f"exit {report.exit_code} {report.exit_name}", style="dim"))
        if verbose:
            console.print(Text(costs(report), style="dim"))


def ends_in_words(asked: str) -> str:
    """Which ends were asked for, as a heading says it."""
    return {"all": "all ends", "boot=0": "the newest end"}.get(asked, f"end {asked.removeprefix('boot=')}")


def _totals(report: ResetReport) -> Text:
    """Everybody, by the most pressing end of a boot, in one line."""
    parts = [(report.worst.get(kind, 0), *TITLES[kind][1:]) for kind in PRESSING]
    parts.insert(2, (report.unreported, "did not report", "lost"))
    shown = [Text(f"{number:,} {words}", style=STYLES[look]) for number, words, look in parts if number]
    return Text.assemble((f"{count(report.selected, 'node')}: ", "bold"), Text(", ").join(shown))


def _show_answers(console: Console, kind: EndKind, answers: list[FoldedAnswer]) -> None:
    """One row for each set of nodes: how boots ended there."""
    if not answers:
        return
    title, _, look = TITLES[kind]
    rows = table(console, title, look)
    by_nodes: dict[tuple[str, ...], list[Text]] = {}
    for answer in answers:
        by_nodes.setdefault(tuple(answer.nodes), []).append(_answer_line(answer, look))
    for nodes, lines in by_nodes.items():
        rows.add_row(Text(names(nodes), "bold"), Text("\n").join(lines))
    console.print(Padding(rows, (0, 0, 0, 2)))


def _answer_line(answer: FoldedAnswer, look: str) -> Text:
    line = Text(answer.words, style=STYLES[look])
    if len(answer.nodes) > 1 and _FIGURES.search(answer.words):
        line.append(f" ({answer.example_node})", style="dim")
    if answer.ends > len(answer.nodes):
        line.append(f"  {count(answer.ends, 'boot')}")
    more = [", ".join(claim for _, claim in answer.claims if claim != ANY)]
    more.append("last writes may be lost" if answer.data_at_risk == "yes" else "")
    more.append(f"seen before: {_before(answer)}" if answer.antecedents else "")
    said = "; ".join(filter(None, more))
    return line.append(f"\n{said}", style="dim") if said else line


def _before(answer: FoldedAnswer) -> str:
    """What was seen before the end, with the number of nodes where these are not all."""
    several = len(answer.nodes) > 1
    return ", ".join(
        kind.value.replace("_", " ") + (f" on {count(number, 'node')}" if several else "")
        for kind, number in answer.antecedents.items()
    )


def _show_together(console: Console, together: list[WentTogether]) -> None:
    """Nodes on one supply that went down in one span of time."""
    if not together:
        return
    rows = table(console, "Went down together, on one supply; that it was the supply is not said", "warn")
    for one in together:
        span = f"between {one.after:%Y-%m-%d %H:%M:%S} and {one.before:%H:%M:%S} UTC"
        line = Text(f"power group {one.power_group}: {len(one.nodes)} of its {one.members} nodes, {span}")
        for premise in one.premises:
            line.append(f"\n{premise}", style="dim")
        rows.add_row(Text(names(one.nodes), "bold"), line)
    console.print(Padding(rows, (0, 0, 0, 2)))


def show_from_here(report: ResetReport, node_id: str, console: Console) -> None:
    """What the bastion saw of the newest end of one node."""
    seen = next((one for one in report.from_here if one.node == node_id), None)
    if seen is None:
        return
    last = f"last heard of {seen.last_contact:%Y-%m-%d %H:%M:%S} UTC" if seen.last_contact else "never heard of before"
    began = f", the next began {seen.began:%Y-%m-%d %H:%M:%S} UTC" if seen.began else ""
    console.print(Text("Seen from here, by the clock of this machine", style="bold"))
    console.print(Text(f"  the boot that ended was {last}{began}"))
    for premise in seen.premises:
        console.print(Text(f"  {premise}"))
    console.print()


def _show_unknown(console: Console, report: ResetReport, *, verbose: bool) -> None:
    """Why it cannot be told, the most widespread reason first; why it cannot be told better, only where asked."""
    untold = {node for one in report.answers if one.claims.termination == ANY for node in one.nodes}
    found = [
        one for one in report.unknown if verbose or (one.axis is Axis.TERMINATION and untold.intersection(one.nodes))
    ]
    if not found:
        return
    rows = table(console, "Why it is not known better" if verbose else "Why it cannot be told", "unknown")
    for one in found if verbose else found[:MOST_ROWS]:
        cause = one.cause.value.replace("_", " ")
        line = Text(f"{one.axis.value.replace('_', ' ')}: {cause}" if verbose else cause, style=STYLES["unknown"])
        if one.example:
            line.append(f"  {one.example_node}: " if len(one.nodes) > 1 else "  ", style="dim")
            line.append(one.example, style="")
        rows.add_row(Text(names(one.nodes), "bold"), line)
    console.print(Padding(rows, (0, 0, 0, 2)))
    _say_more(console, len(found), verbose=verbose)


def _show_advice(console: Console, advice: list[FoldedAdvice], *, verbose: bool) -> None:
    if not advice:
        return
    rows = table(console, "Arm now, so that the next end can be told", "warn")
    by_nodes: dict[tuple[str, ...], list[Text]] = {}
    for one in advice if verbose else advice[:MOST_ROWS]:
        by_nodes.setdefault(tuple(one.nodes), []).append(Text.assemble(("→ ", "bold"), one.advice))
    for nodes, lines in by_nodes.items():
        rows.add_row(Text(names(nodes), "bold"), Text("\n").join(lines))
    console.print(Padding(rows, (0, 0, 0, 2)))
    _say_more(console, len(advice), verbose=verbose)


def _say_more(console: Console, number: int, *, verbose: bool) -> None:
    if number > MOST_ROWS and not verbose:
        console.print(Text(f"  … and {number - MOST_ROWS} more; -v names them", style="dim"))

"""How boots of one node ended, as the whole proof: claims, what is open, what came before, what each rests on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.reset import AntecedentSeen, Observation, Proof, ResetData, ResetEnvelope, Transition, UnknownReason
from sparkctl.model.reset_report import kind_of
from sparkctl.model.reset_tree import claim_of, leaves_under, open_of, strength_of
from sparkctl.model.reset_words import ANY, Antecedent, Axis, SourceState, Strength, UnknownCause
from sparkctl.model.vocabulary import Origin
from sparkctl.report.reset import TITLES
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, count

FOUNDED = {
    Strength.S0: "nothing is entailed",
    Strength.S1: "on one witness that can err",
    Strength.S2: "on a record",
    Strength.S3: "on independent records",
}
CERTAINTY = {
    ("expected", "yes"): "it was wanted",
    ("expected", "no"): "nobody wanted it",
    ("expected", "unknown"): "whether it was wanted is not known",
    ("data", "yes"): "last writes may be lost",
    ("data", "no"): "no data is at risk",
    ("data", "unknown"): "whether data is at risk is not known",
}
NO_REASON = "UNKNOWN"  # of the vendor's codes the one that says nothing
LOST = (UnknownCause.BOOTS_MISSED, UnknownCause.JOURNAL_LOST_BOOT)
WIDE = 100  # columns from which there is room for what other programs call it
SHORT = 8  # characters of a boot id that tell boots of one node apart
UNKNOWN = STYLES["unknown"]


def show_node(title: str, envelope: ResetEnvelope, stream: TextIO, *, verbose: bool = False) -> None:
    """Print what a document says: the newest end whole, older ones in brief; with `verbose`, all of them whole."""
    data = envelope.data
    if data is None:
        return
    with screen_on(stream) as console:
        console.print(_title(title, envelope))
        for number, transition in enumerate(data.transitions):
            console.print()
            _show_heading(console, transition, verbose=verbose)
            if verbose or number == 0:
                _Shown(console, transition, data, verbose=verbose).show()
        _show_sources(console, data, envelope)


def _title(title: str, envelope: ResetEnvelope) -> Text:
    hostname = envelope.meta.node.hostname
    line = Text.assemble((title, "bold"), f"  {hostname}" if hostname != title else "")
    if envelope.meta.origin is Origin.SIMULATED:
        line.append(f"  {SIMULATED}", style="bold cyan")
    elif envelope.meta.origin is Origin.TREE:
        line.append("  a saved tree", style="bold cyan")
    return line


def _show_heading(console: Console, transition: Transition, *, verbose: bool) -> None:
    """Which boot, how it ended, what that means; one or two lines."""
    flat = transition.flat
    look = STYLES[TITLES[kind_of(transition.claims, flat.expected)][2]]
    lost = any(one.cause in LOST for one in transition.unknown_reasons)
    nameless = "a boot that left no record" if lost else "a boot that is not known"
    ended = f"boot {transition.from_boot_id[:SHORT]}" if transition.from_boot_id else nameless
    into = f", then {transition.to_boot_id[:SHORT]}" if transition.to_boot_id else ""
    console.print(Text.assemble((flat.words, look), (f"  {transition.index}: {ended}{into}", "dim")))
    line = _meaning(transition)
    if verbose or (console.width >= WIDE and flat.vendor_reason != NO_REASON):
        line.append(f"   {flat.vendor_reason} (vendor), {flat.redfish_last_reset_cause} (Redfish)", style="dim")
    console.print(Padding(line, (0, 0, 0, 2)))


def _meaning(transition: Transition) -> Text:
    """What an end means to an operator, or why it cannot be told."""
    flat = transition.flat
    why = [one for one in transition.unknown_reasons if one.axis is Axis.TERMINATION]
    if transition.claims.termination == ANY and why:
        return Text(why[0].cause.value.replace("_", " "), UNKNOWN).append(f"  {why[0].detail or ''}", style="")
    return Text(f"{CERTAINTY['expected', flat.expected]}; {CERTAINTY['data', flat.data_at_risk]}")


class _Shown:
    """One transition while it is printed: an observation is quoted once and named afterwards."""

    def __init__(self, console: Console, transition: Transition, data: ResetData, *, verbose: bool) -> None:
        self._console, self._transition, self._verbose = console, transition, verbose
        self._seen: Mapping[str, Observation] = {one.id: one for one in data.observations}
        self._quoted: set[str] = set()

    def show(self) -> None:
        """Print all parts that have anything in them."""
        self._part("", (row for axis in Axis for row in self._axis(axis)))
        self._part("Conflicts: neither is asserted", self._conflicts())
        bound = [one for one in self._transition.antecedents if self._is_bound(one)]
        loose = [one for one in self._transition.antecedents if not self._is_bound(one)]
        self._part("Seen before the end; that it led there is not said", self._antecedents(bound))
        self._part("Seen, but of a boot that cannot be told", self._loose(loose))
        self._part("Proof", self._proofs())
        self._part("Would have decided it", ((Text("→", "bold"), Text(one)) for one in self._transition.would_decide))
        self._part("Arm now, so that the next end can be told",
                   ((Text("→", "bold"), Text(one)) for one in self._transition.arm_now))  # fmt: skip

    def _part(self, title: str, rows: Iterator[tuple[Text, Text]]) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(overflow="fold", max_width=30)
        grid.add_column(ratio=1, overflow="fold")
        for left, right in rows:
            grid.add_row(left, right)
        if not grid.rows:
            return
        if title:
            self._console.print(Padding(Text(title, "bold"), (0, 0, 0, 2)))
        self._console.print(Padding(grid, (0, 0, 0, 4)))

    def _axis(self, axis: Axis) -> Iterator[tuple[Text, Text]]:
        """The claim and its strength, what is open, and why no more is known."""
        one = self._transition
        claim, strength = claim_of(one, axis), strength_of(one, axis)
        words = Text(claim, UNKNOWN if claim == ANY else "bold")
        words.append(f"  {strength.value}, {FOUNDED[strength]}", style="dim")
        yield Text(axis.value.replace("_", " ")), words
        leaves = open_of(one, axis)
        if leaves != [claim]:
            named = leaves if self._verbose else folded(axis, claim, leaves)
            yield Text(""), Text.assemble(("open: ", "dim"), ", ".join(named))
        for reason in one.unknown_reasons:
            if reason.axis is axis and reason not in self._said(axis):
                line = Text(reason.cause.value.replace("_", " "), UNKNOWN)
                yield Text(""), line.append(f"  {reason.detail}" if reason.detail else "", style="")

    def _said(self, axis: Axis) -> list[UnknownReason]:
        """What holds of this axis for the same reason as of the one that was shown first."""
        if self._verbose or axis is Axis.TERMINATION:
            return []
        first = [one for one in self._transition.unknown_reasons if one.axis is Axis.TERMINATION]
        return [one.model_copy(update={"axis": axis}) for one in first]

    def _conflicts(self) -> Iterator[tuple[Text, Text]]:
        for one in self._transition.conflicts:
            line = Text(" against ".join(one.paths), STYLES["fail"])
            yield Text(one.axis.value.replace("_", " ")), line.append(f"  {', '.join(one.rules)}", style="dim")

    def _is_bound(self, antecedent: AntecedentSeen) -> bool:
        return any(self._seen[name].boot_id is not None for name in antecedent.observations)

    def _antecedents(self, found: Sequence[AntecedentSeen]) -> Iterator[tuple[Text, Text]]:
        for one in found:
            line = Text(one.summary)
            if self._verbose:
                for name in one.observations:
                    line.append(f"\n{self._seen[name].locator}", style="dim")
            yield Text(", ".join(one.observations), "dim"), line

    def _loose(self, found: Sequence[AntecedentSeen]) -> Iterator[tuple[Text, Text]]:
        """What bears on no end: records that look like one are shown, the rest is counted unless all is asked for."""
        shown = [one for one in found if self._verbose or one.kind is Antecedent.UNBOUND_RECORD]
        yield from self._antecedents(shown)
        rest = Counter(one.kind.value.replace("_", " ") for one in found if one not in shown)
        if rest:
            counted = ", ".join(f"{kind} ({number})" for kind, number in rest.items())
            yield Text(""), Text(f"{counted}; -v shows them", "dim")

    def _proofs(self) -> Iterator[tuple[Text, Text]]:
        """Of each axis the proof of its claim; what else holds, or holds but asserts nothing, only with `verbose`."""
        every = self._transition.proof
        shown = every if self._verbose else [one for axis in Axis for one in self._deciding(axis)]
        for proof in shown:
            yield from self._proof(proof)
        if len(shown) < len(every):
            more = len(every) - len(shown)
            words = f"{count(more, 'more rule')} {'holds' if more == 1 else 'hold'}, no further than these"
            yield Text(""), Text(f"{words}; -v shows them", "dim")

    def _deciding(self, axis: Axis) -> list[Proof]:
        """The first proof that is as deep and as strong as the claim; where there is a conflict, all that assert."""
        claim, strength = claim_of(self._transition, axis), strength_of(self._transition, axis)
        proofs = [one for one in self._transition.proof if one.axis is axis and one.strength is not Strength.S0]
        if claim == ANY:
            return proofs
        return [one for one in proofs if (one.path, one.strength) == (claim, strength)][:1]

    def _proof(self, proof: Proof) -> Iterator[tuple[Text, Text]]:
        """The rule and what it rests on."""
        line = Text.assemble(f"{proof.path}  ", (f"{proof.rule}  {proof.strength.value}", "dim"))
        yield Text("not asserted" if proof.strength is Strength.S0 else "therefore"), line
        for name in proof.premises:
            yield Text(name, "dim"), self._quote(name)
        if proof.absent:
            yield Text("absent", "dim"), Text(self._absent(proof), "dim")
        if not proof.premises:
            yield Text(""), Text("follows from the claim on how it ended", "dim")

    def _quote(self, name: str) -> Text:
        one = self._seen[name]
        if name in self._quoted:
            return Text("as above", "dim")
        self._quoted.add(name)
        line = Text(one.excerpt if self._verbose else _cut(one.excerpt))
        kind = f"{one.source.value}, {one.kind}".replace("_", " ")
        return line.append(f"\n{kind}: {one.locator}", style="dim")

    def _absent(self, proof: Proof) -> str:
        if self._verbose:
            return "looked for and not there: " + ", ".join(proof.absent)
        return f"{count(len(proof.absent), 'thing')} that would speak against it, looked for and not there"


def folded(axis: Axis, claim: str, leaves: list[str]) -> list[str]:
    """Open leaves in few words: a branch just below the claim that is wholly open stands for its leaves (`os.*`)."""
    depth = 0 if claim == ANY else claim.count(".") + 1
    branches: dict[str, list[str]] = {}
    for leaf in leaves:
        branches.setdefault(".".join(leaf.split(".")[: depth + 1]), []).append(leaf)
    named: list[str] = []
    for branch, under in branches.items():
        whole = len(under) > 1 and len(under) == len(leaves_under(axis, branch))
        named += [f"{branch}.*"] if whole else under
    return named


def _cut(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _show_sources(console: Console, data: ResetData, envelope: ResetEnvelope) -> None:
    """What was read, what was not and why: an answer is as good as that."""
    console.print()
    read = [one.source.value.replace("_", " ") for one in data.sources if one.state is SourceState.READ]
    console.print(Text.assemble(("read: ", "bold"), ", ".join(read) or "nothing"))
    for one in data.sources:
        if one.state is SourceState.READ:
            continue
        style = "dim" if one.state is SourceState.ABSENT else UNKNOWN
        detail = f"  {one.detail}" if one.detail else ""
        console.print(
            Padding(
                Text.assemble((f"{one.source.value.replace('_', ' ')} {one.state.value}", style), detail), (0, 0, 0, 2)
            )
        )
    for cut in envelope.meta.truncation:
        console.print(Text(f"  left out to stay within the limit: {cut.dropped} {cut.part}", STYLES["warn"]))
    for error in envelope.errors:
        console.print(Text(f"  {error.code}: {error.message}", STYLES["warn"]))

"""The OTA state of nodes on a screen."""

from typing import TextIO

from rich.padding import Padding
from rich.text import Text

from sparkctl.model.facets.ota_score import RecipeScore
from sparkctl.model.ota_report import OtaReport, OtaState
from sparkctl.report.screen import STYLES, screen_on, table
from sparkctl.report.words import count, names, to_minute

SHOWN = 8  # failed or unverifiable wishes of a recipe that are named


def show_ota(report: OtaReport, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the verdicts; `verbose` names what failed and what could not be verified."""
    with screen_on(stream) as console:
        console.print(Text.assemble(("sparkctl ota", "bold"), f"  {report.selector}"))
        console.print(Text(count(report.selected, "node"), "bold"))
        groups = {
            ("Torn between releases", "fail"): [one for one in report.states if one.score.torn],
            ("On a release", "pass"): [one for one in report.states if not one.score.torn and one.score.proven],
            ("Not proven", "unknown"): [one for one in report.states if not one.score.torn and not one.score.proven],
        }
        for (title, look), states in groups.items():
            if not states:
                continue
            rows = table(console, title, look)
            for state in states:
                rows.add_row(Text(names(state.nodes), "bold"), Text("\n").join(_lines(state, verbose=verbose)))
            console.print(Padding(rows, (0, 0, 0, 2)))
        if report.uncollected:
            rows = table(console, "Never collected", "lost")
            rows.add_row(Text(names(report.uncollected), "bold"), Text("→ sparkctl collect --facet ota", "bold"))
            console.print(Padding(rows, (0, 0, 0, 2)))
        if report.stale:
            rows = table(console, "Not verifiable: stale", "unknown")
            rows.add_row(Text(names(report.stale), "bold"), Text("→ sparkctl collect --facet ota", "bold"))
            console.print(Padding(rows, (0, 0, 0, 2)))
        console.print()
        last = f"exit {report.exit_code} {report.exit_name}"
        if report.oldest is not None:
            last += f"   the oldest facts are of {to_minute(report.oldest)}"
        console.print(Text(last, style="dim"))


def _lines(state: OtaState, *, verbose: bool) -> list[Text]:
    score = state.score
    recipe = score.recipes.get(score.matched) if score.matched else None
    first = Text(f"DGX OS {state.release or 'unknown'}")
    first.append(f"  {_told(recipe)}" if recipe else "  no recipe on the node to hold it against")
    if score.newest and score.matched != score.newest:
        newest = score.recipes[score.newest]
        first.append(f"  newest known: {newest.name}", style="dim")
    lines = [first, *(Text(words, STYLES["fail"]) for words in score.torn_words)]
    if score.awaits_reboot:
        lines.append(Text("→ reboot: the kernel of the newer release is installed and does not run", "bold"))
    if recipe and not score.proven and recipe.not_verifiable:
        lines.append(Text("→ not proven without its firmware; versions need root (elevation: commands)", "bold"))
    if recipe and verbose:
        lines += _named("failed", recipe.failed_checks, "fail")
        lines += _named("not verifiable", recipe.not_verifiable_checks, "unknown")
    return lines


def _told(recipe: RecipeScore) -> str:
    figures = f"{recipe.verified} verified, {recipe.failed} failed, {recipe.not_verifiable} not verifiable"
    return f"{recipe.name}: {figures}"


def _named(what: str, checks: list[str], look: str) -> list[Text]:
    if not checks:
        return []
    more = f" and {len(checks) - SHOWN} more" if len(checks) > SHOWN else ""
    return [Text.assemble((f"{what}: ", STYLES[look]), ", ".join(checks[:SHOWN]) + more)]

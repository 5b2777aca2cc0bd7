"""What the sanitisation of a machine came to, on the screen."""

from typing import TextIO

from rich.padding import Padding
from rich.text import Text

from sparkctl.model.sanitisation import SanitisationJudgement, SanitiseOutcome
from sparkctl.report.screen import STYLES, screen_on

_LOOKS = {
    SanitiseOutcome.PURGED: "pass",
    SanitiseOutcome.CLEARED: "warn",
    SanitiseOutcome.FAILED: "fail",
    SanitiseOutcome.UNPROVEN: "unknown",
    SanitiseOutcome.NOT_STARTED: "unknown",
}


def show_judgement(judgement: SanitisationJudgement, stream: TextIO) -> None:
    """The verdict, then each drive with its attempts, the TPM, and what is to be destroyed."""
    with screen_on(stream) as console:
        verdict = "sanitised" if judgement.sanitised else "not sanitised"
        look = STYLES["pass" if judgement.sanitised else "fail"]
        console.print(Text.assemble((judgement.node_id, "bold"), "  ", (verdict, look)))
        for drive in judgement.drives:
            whole = drive.judgement
            console.print(
                Text.assemble("  ", (f"{drive.device} {drive.serial}", "bold"), "  ", _outcome(whole.outcome))
            )
            for each in drive.attempts or [whole]:
                title = each.technique.value.replace("_", " ") if each.technique else "no technique"
                line = Text.assemble(f"{title}: ", _outcome(each.outcome), f"; {'; '.join(each.reasons)}")
                console.print(Padding(line, (0, 0, 0, 4)))
            if whole.remains:
                words = ", ".join(each.value.replace("_", " ") for each in whole.remains)
                console.print(Padding(Text.assemble(("→ ", "bold"), f"what remains: {words}"), (0, 0, 0, 4)))
        if judgement.tpm is not None:
            words = "; ".join(judgement.tpm_reasons)
            console.print(Text.assemble(("  TPM", "bold"), "  ", _outcome(judgement.tpm), f"; {words}"))
        if judgement.to_destroy:
            console.print(Text(f"not sanitised: {', '.join(judgement.to_destroy)}", style=STYLES["fail"]))


def _outcome(outcome: SanitiseOutcome) -> tuple[str, str]:
    return outcome.value.replace("_", " "), STYLES[_LOOKS[outcome]]

"""The table of rules, in the order of precedence where two find something at the same place.

What is known of the node comes before all of them; PEM blocks, the kernel's tables and raw bytes have their own code.
"""

from sparkctl.redaction.rule import Rule
from sparkctl.redaction.rules_names import NAMES
from sparkctl.redaction.rules_numbers import NUMBERS
from sparkctl.redaction.rules_secrets import SECRETS
from sparkctl.redaction.standins import WORDS, Class


def _again(kind: Class) -> Rule:
    tail = r"\.invalid" if kind is Class.DOMAIN else ""
    return Rule(
        f"again.{kind.value}", kind, rf"\b{kind.value}-x[a-z2-7]{{10}}{tail}", "a stand-in of an earlier redaction"
    )


RULES: tuple[Rule, ...] = (*map(_again, WORDS), *SECRETS, *NAMES, *NUMBERS)

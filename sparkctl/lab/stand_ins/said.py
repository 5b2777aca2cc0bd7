"""How a stand-in speaks."""

import sys


def say(text: str) -> None:
    """Print a line to standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"{text}\n")


def options_in(arguments: list[str], *names: str) -> dict[str, list[str]]:
    """The values of long options `--name=value`, by name; those that are not named are left out."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for word in arguments:
        name, _, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in found:
            found[name].append(value)
    return found

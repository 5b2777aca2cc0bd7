"""The generated part of docs/controllers.md: each controller with what it is told, its command, and the way back."""

from sparkctl.app.catalogue import ControllerEntry, controller_catalogue


def controllers_table() -> str:
    """One section for each controller; raises SparkctlError when the program does not answer."""
    return "\n".join(_section(entry) for entry in controller_catalogue())


def _section(entry: ControllerEntry) -> str:
    back = f"not taken back: {entry.no_undo}" if entry.undo is None else f"taken back by `{' '.join(entry.undo)}`"
    if entry.needs_before:
        back += ", for what was active before"
    rows = [f"| `{name}` | {_kind(entry, name)} | {entry.about[name]} |" for name in entry.parameters]
    table = ["", "| parameter | kind | for |", "|---|---|---|", *rows] if rows else []
    lines = [
        f"### `{entry.controller}`",
        "",
        f"{entry.title}; at most {entry.longest_s:g} s; {back}.",
        "",
        f"    {' '.join(map(_shown, entry.argv))}",
        *table,
    ]
    return "\n".join(lines) + "\n"


def _shown(word: str) -> str:
    """A word of a command; SOURCE stands for the text of a program of ours."""
    return "SOURCE" if "\n" in word else word


def _kind(entry: ControllerEntry, name: str) -> str:
    schema = entry.parameters[name]
    kind = {"string": "word", "boolean": "true or false", "array": "list", "object": "object"}[str(schema["type"])]
    return kind if name in entry.required else f"{kind}, optional"

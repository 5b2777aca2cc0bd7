"""The runbook of a playbook as Markdown, for a wiki or a printer."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt

from sparkctl.model.printable import printable
from sparkctl.report.runbook import COMMANDS, NAMES, ONLY_CONTROLLERS, Runbook, RunbookStep

_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~#$]")
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)|<", re.DOTALL)
_LONGEST_LINE = 4000
_PAPER = "_" * 16


def markdown(runbook: Runbook) -> str:
    """The whole text. Words of the playbook stand in it as they are: none of them is markup."""
    return "\n".join(_lines(runbook)) + "\n"


def _lines(runbook: Runbook) -> Iterator[str]:
    yield f"# {escaped(runbook.title)}"
    yield ""
    yield f"Playbook {code(runbook.name)}, SHA-256 of its file {code(runbook.sha256)}."
    yield ""
    yield from (f"- **{name}:** {escaped(words)}" for name, words in runbook.facts)
    if runbook.parameters:
        yield ""
        yield "## Parameters"
        yield ""
        yield "| Parameter | Kind | If not given | What it is for |"
        yield "| --- | --- | --- | --- |"
        for one in runbook.parameters:
            yield f"| {cell(f'${one.name}')} | {one.kind} | {escaped(one.needed)} | {escaped(one.help)} |"
    yield ""
    yield "## Steps"
    yield ""
    yield f"{ONLY_CONTROLLERS} {NAMES}"
    yield ""
    yield f"Run {_PAPER} Node {_PAPER} Begun {_PAPER} UTC"
    for number, step in enumerate(runbook.steps, 1):
        yield ""
        yield from _step(number, step)
    yield ""
    yield "## When a step fails"
    yield ""
    yield from (f"- {escaped(words)}" for words in runbook.failing)
    yield from (f"- {code(command)}: {words}" for command, words in COMMANDS)
    if runbook.text.strip():
        yield ""
        yield "## Besides"
        yield ""
        yield without_html(runbook.text).strip("\n")


def _step(number: int, step: RunbookStep) -> Iterator[str]:
    indent = " " * len(f"{number}. ")
    yield f"{number}. **{escaped(step.title)}** ({code(step.id)})"
    yield ""
    said = [f"What is done: {escaped(step.what)}"] if step.what else []
    if step.command:
        said.append(f"Command: {code(step.command)}")
    said += [f"Option {code(name)}: {code(value)}" for name, value in step.options]
    said.append(f"Limit: {step.limit}")
    said += [f"Can be taken back: {step.undo}"] if step.undo else []
    if step.always:
        said.append("Is done on a node whose earlier step failed, too")
    yield from (f"{indent}- {words}" for words in said)
    yield f"{indent}- [ ] done by {_PAPER} at {_PAPER} UTC"


def escaped(text: str) -> str:
    """A text that Markdown shows just so within a line."""
    return _SPECIAL.sub(r"\\\g<0>", text.strip())


def code(text: str) -> str:
    """A line of text as code, whatever backticks are in it."""
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    space = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{fence}{space}{text}{space}{fence}" if text else "` `"


def cell(text: str) -> str:
    """Code within a table, where a bar would end the cell."""
    return code(text).replace("|", "\\|")


def without_html(text: str) -> str:
    """Markdown that has no HTML in it: what would be HTML is shown as text. Controls become visible escapes."""
    lines = printable_text(text).split("\n")
    parser = MarkdownIt("commonmark").enable("table")
    for escape in (_outside_code, _everywhere, _everywhere):
        blocks = [
            token.map
            for token in parser.parse("\n".join(lines))
            if token.map and (token.type == "html_block" or _has_html(token.children))
        ]
        if not blocks:
            return "\n".join(lines)
        for first, last in blocks:
            lines[first:last] = escape("\n".join(lines[first:last])).split("\n")
    return _everywhere("\n".join(lines))


def printable_text(text: str) -> str:
    """Lines without what could steer a terminal."""
    return "\n".join(printable(line, _LONGEST_LINE) for line in text.expandtabs(4).splitlines())


def _everywhere(text: str) -> str:
    return text.replace("<", "&lt;")


def _outside_code(text: str) -> str:
    return _CODE.sub(lambda match: match[0] if match[1] else "&lt;", text)


def _has_html(children: object) -> bool:
    return isinstance(children, list) and any(child.type == "html_inline" for child in children)

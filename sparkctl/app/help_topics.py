"""The pages of documentation that travel with sparkctl, as topics of `sparkctl help`."""

import re
from dataclasses import dataclass
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.inventory.problems import nearest
from sparkctl.resources import shipped

FIRST = ("quick-start", "inventory", "sweeps", "schedules")
"""What a newcomer reads first; the rest follows by name."""

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_SENTENCE = re.compile(r"(.+?[.:])(?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Topic:
    """A page: its name, its heading, and the first sentence of what it says."""

    name: str
    title: str
    summary: str
    path: Path

    @property
    def text(self) -> str:
        """The page as Markdown, without what only its generator reads."""
        return _COMMENT.sub("", self.path.read_text("utf-8"))


def topics() -> list[Topic]:
    """Every topic, the first ones first."""
    found = [_topic(path) for path in shipped("docs").glob("*.md")]
    order = {name: place for place, name in enumerate(FIRST)}
    return sorted(found, key=lambda topic: (order.get(topic.name, len(FIRST)), topic.name))


def topic_named(name: str) -> Topic | None:
    """The topic of a name, None when there is none."""
    return next((topic for topic in topics() if topic.name == name.lower()), None)


def no_such_topic(name: str, commands: list[str]) -> UsageError:
    """What to say of a name that is neither a topic nor a command."""
    close = nearest(name, [topic.name for topic in topics()] + commands)
    hint = f"did you mean: {', '.join(close)}" if close else "sparkctl help lists the topics"
    return UsageError(f"there is no topic and no command {name!r}", hint=hint)


def _topic(path: Path) -> Topic:
    heading, _, rest = path.read_text("utf-8").partition("\n")
    paragraph = next((part for part in rest.split("\n\n") if part.strip()), "")
    words = " ".join(paragraph.replace("`", "").split())
    sentence = _SENTENCE.match(words)
    return Topic(path.stem.lower(), heading.lstrip("# "), (sentence[1] if sentence else words).rstrip(":"), path)

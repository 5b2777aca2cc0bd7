"""Something of a node, such as a disk or a package, as lists of a target have it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sparkctl.export.subject import Subject


@dataclass(frozen=True, slots=True)
class Part:
    """Something of a node, by its name there, with what is known of it."""

    subject: Subject
    name: str
    about: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A field of what is known, None where it is not."""
        return self.about.get(name)


def members(path: str) -> Callable[[Subject], Iterator[Part]]:
    """What finds the members of a map of a facet, by name."""
    return lambda subject: (Part(subject, name, about) for name, about in sorted(subject.members(path).items()))

"""In which words a sink is told of an event. A format is a function of the event; more of them can stand here."""

from collections.abc import Callable

from sparkctl.model.event import Told
from sparkctl.model.sink import Parcel


def _event(told: Told) -> str:
    """Our own: a document of the schema `event`."""
    return told.json


FORMATS: dict[str, Callable[[Told], str]] = {"event": _event}
"""Every format by the word for it in a file of sinks; each makes one line of JSON or text."""


def parcel(told: Told, form: str) -> Parcel:
    """An event as a sink of that format gets it."""
    return Parcel(told, FORMATS[form](told))

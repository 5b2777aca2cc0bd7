"""Preferences of apt in files of operators (apt_preferences(5))."""

from collections.abc import Iterator

from sparkctl.app import site_values as values
from sparkctl.app.file_fields import Fields
from sparkctl.model.site import AptPin


def read_pins(fields: Fields) -> Iterator[AptPin]:
    """The entries under `pins`; what is wrong with one is noted, and it counts for nothing then."""
    for name, pin in fields.each("pins", ("packages", "pin", "priority"), values.short_name):
        packages = pin.texts("packages", values.package_pattern)
        meant = pin.text("pin", values.pin_text, required="Write `pin: origin HOST`.")
        priority = pin.text("priority", _priority, required="Write `priority: 1001`, or -1 for never.")
        if not pin.has("packages"):
            pin.wrong(None, "`packages` is missing", "Name some.")
        if packages and meant and priority is not None:
            yield AptPin(name=name, packages=packages, pin=meant, priority=priority)


def _priority(text: str) -> int:
    if not text.lstrip("-").isdecimal() or not text.isascii() or len(text) > 6 or not -32768 <= int(text) <= 32767:
        raise ValueError("must be a whole number from -32768 to 32767")
    return int(text)

"""Fill in templates so that no value can change the structure of a file, and prove it of every YAML file."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sparkctl.errors import RefusedError, SparkctlError
from sparkctl.model.printable import printable

# JSON allows these in strings; to YAML 1.1 they are line breaks, or not printable at all.
_NOT_YAML = re.compile("[\x7f-\x9f\u00ad\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_WORD = re.compile(r"[A-Za-z0-9._:/@+~*,=%\[\]-]{1,1000}")
_WORDS = re.compile(rf"{_WORD.pattern}( {_WORD.pattern})*")
_STAND_IN = "stand-in {} of a value"


class _Safe(str):
    """What a filter made: the only thing that may be put into a file."""

    __slots__ = ()


class Templates:
    """The templates in a folder."""

    def __init__(self, folder: Path) -> None:
        self._values: list[Any] = []
        self._real = _environment(folder, _json)
        self._shape = _environment(folder, self._stand_in)

    def yaml(self, name: str, **values: Any) -> tuple[str, Any]:
        """A YAML file and what is in it.

        The file is made a second time with stand-ins for all values. That gives the structure that the template asks
        for; with the values put into it, it must be what a reader of the file gets. Raises RefusedError otherwise.
        """
        text = self._real.get_template(name).render(**values)
        self._values.clear()
        shape = yaml.safe_load(self._shape.get_template(name).render(**values))
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise _changed(name, printable(str(error), 200)) from None
        if found != self._filled(shape):
            raise _changed(name, "what is read from it is not what was put in")
        return text, found

    def text(self, name: str, **values: Any) -> str:
        """A file that is not YAML. Raises RefusedError for a value that it cannot hold."""
        return self._real.get_template(name).render(**values)

    def _stand_in(self, value: Any) -> _Safe:
        self._values.append(json.loads(json.dumps(value)))
        return _Safe(json.dumps(_STAND_IN.format(len(self._values) - 1)))

    def _filled(self, shape: Any) -> Any:
        if isinstance(shape, Mapping):
            return {self._filled(key): self._filled(value) for key, value in shape.items()}
        if isinstance(shape, list):
            return [self._filled(value) for value in shape]
        match = re.fullmatch(_STAND_IN.format("([0-9]+)"), shape) if isinstance(shape, str) else None
        return shape if match is None else self._values[int(match[1])]


def _environment(folder: Path, to_json: Callable[[Any], _Safe]) -> Environment:
    made = Environment(  # noqa: S701 - no HTML is made; `finalize` lets nothing through that no filter made safe
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        finalize=_only_safe,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters = {"tojson": to_json, "word": _word, "words": _words}
    return made


def _only_safe(value: Any) -> Any:
    if not isinstance(value, _Safe):
        raise SparkctlError("a template puts a value into a file without a filter", hint="add `| tojson` or `| word`")
    return value


def _json(value: Any) -> _Safe:
    text = json.dumps(value, ensure_ascii=False)
    return _Safe(_NOT_YAML.sub(lambda match: f"\\u{ord(match.group()):04x}", text))


def _word(value: Any) -> _Safe:
    return _matching(_WORD, value)


def _words(value: Any) -> _Safe:
    return _matching(_WORDS, value)


def _matching(pattern: re.Pattern[str], value: Any) -> _Safe:
    text = str(value)
    if not pattern.fullmatch(text):
        raise RefusedError(
            f"'{printable(text, 60)}' cannot stand in a file of this kind",
            hint="use letters, digits and . _ : / @ + - in it",
        )
    return _Safe(text)


def _changed(name: str, why: str) -> RefusedError:
    return RefusedError(f"{name} with these values is not the file that was meant: {why}", hint="please report it")

"""A batch that is refused as a whole, taken apart until it is known which events were meant."""

from collections.abc import Callable, Sequence

from sparkctl.model.sink import Answer, Parcel, Result
from sparkctl.sinks.seam import SinkTrouble, refused


class BatchRefused(Exception):
    """The batch is not taken as it is; `words` of the far side, and which event it meant where it said so."""

    def __init__(self, words: str, place: int | None = None) -> None:
        super().__init__(words)
        self.words, self.place = words, place


def send_in_parts(batch: Sequence[Parcel], send: Callable[[Sequence[Parcel]], Sequence[Result]]) -> Answer:
    """Send a batch and, when that raises BatchRefused, what is beside the event that was meant, or else its halves.

    What was sent before the sink went down keeps its result; the part that was on its way then counts as tried.
    """
    results: list[Result] = []
    waiting: list[Sequence[Parcel] | Result] = [batch]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Result):
            results.append(part)
            continue
        try:
            results += send(part)
        except BatchRefused as error:
            waiting += _apart(part, error)[::-1]
        except SinkTrouble as trouble:
            return Answer(results, trouble.down, len(part))
    return Answer(results)


def _apart(part: Sequence[Parcel], error: BatchRefused) -> list[Sequence[Parcel] | Result]:
    """What is to be sent of a part, in its order, and what is refused already."""
    place = 0 if len(part) == 1 else error.place
    if place is None:
        middle = len(part) // 2
        return [part[:middle], part[middle:]]
    around: list[Sequence[Parcel] | Result] = [part[:place], refused(error.words), part[place + 1 :]]
    return [one for one in around if isinstance(one, Result) or one]

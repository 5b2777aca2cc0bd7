"""A batch that is refused as a whole, taken apart until it is known which events were meant."""

from collections.abc import Callable, Sequence

from sparkctl.model.sink import Answer, Parcel, Result
from sparkctl.sinks.seam import SinkTrouble, refused


class BatchRefused(Exception):
    """The batch is not taken as it is; `words` of the far side."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def send_in_parts(batch: Sequence[Parcel], send: Callable[[Sequence[Parcel]], Sequence[Result]]) -> Answer:
    """Send a batch and, when that raises BatchRefused, its halves, down to the single event that is refused.

    What was sent before the sink went down keeps its result; the part that was on its way then counts as tried.
    """
    results: list[Result] = []
    waiting = [batch]
    while waiting:
        part = waiting.pop()
        try:
            results += send(part)
        except BatchRefused as error:
            if len(part) == 1:
                results.append(refused(error.words))
            else:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
        except SinkTrouble as trouble:
            return Answer(results, trouble.down, len(part))
    return Answer(results)

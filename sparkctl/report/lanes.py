"""Lines between boxes on a grid: none runs over a box or along another, and where two meet they cross."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Point = tuple[int, int]

_STEPS: tuple[Point, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
_BEND, _CROSSING, _BESIDE = 4, 9, 2


class NoWay(ValueError):
    """There is no room for a line."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its corners in lanes of the grid, both of them part of it."""

    left: int
    top: int
    right: int
    bottom: int

    def points(self) -> Iterator[Point]:
        """Every point of the grid that it covers."""
        return ((x, y) for x in range(self.left, self.right + 1) for y in range(self.top, self.bottom + 1))

    def ports(self) -> Iterator[Point]:
        """Where a line may begin or end: the points of its sides, without corners."""
        for x in range(self.left + 1, self.right):
            yield from ((x, self.top), (x, self.bottom))
        for y in range(self.top + 1, self.bottom):
            yield from ((self.left, y), (self.right, y))

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(slots=True)
class Lanes:
    """The grid, with what is drawn on it."""

    width: int
    height: int
    boxes: Sequence[Box]
    _blocked: set[Point] = field(default_factory=set)
    _taken: dict[Point, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._blocked = {point for box in self.boxes for point in box.points()}

    def route(self, start: Box, end: Box) -> list[Point]:
        """The points of a line, which is drawn from now on; raises NoWay."""
        goals = {port for port in end.ports() if port not in self._taken}
        best: dict[tuple[Point, int], int] = {}
        queue: list[tuple[int, int, Point, int]] = []
        came: dict[tuple[Point, int], tuple[Point, int] | None] = {}
        for port in start.ports():
            for way in range(4) if port not in self._taken else ():
                if self._leaves(start, port, way):
                    queue.append((_far(port, end), _off_centre(port, start), port, way))
                    best[port, way], came[port, way] = _off_centre(port, start), None
        heapq.heapify(queue)
        while queue:
            _, cost, point, way = heapq.heappop(queue)
            if cost > best[point, way]:
                continue
            if point in goals:
                return self._draw(_back(came, (point, way)))
            for step, added in self._onward(point, way, goals):
                if cost + added < best.get(step, 1 << 30):
                    best[step], came[step] = cost + added, (point, way)
                    heapq.heappush(queue, (cost + added + _far(step[0], end), cost + added, *step))
        raise NoWay("there is no room for a line: move the boxes apart")

    def _leaves(self, box: Box, port: Point, way: int) -> bool:
        x, y = port[0] + _STEPS[way][0], port[1] + _STEPS[way][1]
        return not (box.left <= x <= box.right and box.top <= y <= box.bottom)

    def _onward(self, point: Point, way: int, goals: set[Point]) -> Iterator[tuple[tuple[Point, int], int]]:
        for turn, (dx, dy) in enumerate(_STEPS):
            reverse = (turn + 2) % 4 == way
            held = point in self._taken or point in self._blocked  # a crossing, or the port that it leaves
            if reverse or (turn != way and held):
                continue
            there = (point[0] + dx, point[1] + dy)
            if not (0 <= there[0] < self.width and 0 <= there[1] < self.height):
                continue
            if there in goals:
                yield (there, turn), 1 + _BEND * (turn != way)
            elif there not in self._blocked and self._taken.get(there) in (None, "v" if dx else "h"):
                beside = sum((there[0] + dy * side, there[1] + dx * side) in self._taken for side in (-1, 1))
                cost = 1 + _BEND * (turn != way) + _CROSSING * (there in self._taken) + _BESIDE * beside
                yield (there, turn), cost

    def _draw(self, path: list[Point]) -> list[Point]:
        for before, point, after in zip([None, *path], path, [*path[1:], None], strict=False):
            if point in self._taken or before is None or after is None:
                self._taken[point] = "x"
            elif before[1] == after[1]:
                self._taken[point] = "h"
            else:
                self._taken[point] = "v" if before[0] == after[0] else "x"
        return path


def _off_centre(port: Point, box: Box) -> int:
    along = 1 if port[0] in (box.left, box.right) else 0
    return round(abs(port[along] - box.centre[along]))


def _far(point: Point, box: Box) -> int:
    across = max(box.left - point[0], point[0] - box.right, 0)
    return across + max(box.top - point[1], point[1] - box.bottom, 0)


def _back(came: Mapping[tuple[Point, int], tuple[Point, int] | None], end: tuple[Point, int] | None) -> list[Point]:
    path = []
    while end is not None:
        path.append(end[0])
        end = came[end]
    return path[::-1]


def corners(path: Sequence[Point]) -> list[Point]:
    """A line by its ends and the points where it bends."""
    bends = [
        point
        for before, point, after in zip(path, path[1:], path[2:], strict=False)
        if before[0] != after[0] and before[1] != after[1]
    ]
    return [path[0], *bends, path[-1]]


def badge_places(paths: Sequence[Sequence[Point]]) -> list[Point]:
    """A place for a badge on each line, where no other line and no other badge is near; raises NoWay."""
    users: dict[Point, int] = {}
    for path in paths:
        for point in path:
            users[point] = users.get(point, 0) + 1
    places: dict[int, Point] = {}
    for number in sorted(range(len(paths)), key=lambda each: len(paths[each])):
        path = paths[number]
        middle = (len(path) - 1) / 2
        free = [
            (abs(at - middle), point)
            for at, point in enumerate(path)
            if 1 <= at < len(path) - 2 and users[point] == 1 and _clear(point, places.values())
        ]
        if not free:
            raise NoWay("there is no room for a badge: move the boxes apart")
        places[number] = min(free)[1]
    return [places[number] for number in range(len(paths))]


def _clear(point: Point, others: Iterable[Point]) -> bool:
    return all(abs(point[0] - other[0]) >= 2 or abs(point[1] - other[1]) >= 2 for other in others)

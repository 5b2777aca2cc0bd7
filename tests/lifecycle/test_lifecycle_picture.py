"""The picture of the lifecycle: all of the data once, and nothing over anything else."""

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from sparkctl.lifecycle.machine import EDGES, STATES
from sparkctl.report.lanes import Box, Lanes, NoWay, badge_places, corners
from sparkctl.report.lifecycle_picture import MANY, PLACES, lifecycle_picture

SVG = "{http://www.w3.org/2000/svg}"
Rectangle = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def picture() -> ET.Element:
    return ET.fromstring(lifecycle_picture())


def boxes(picture: ET.Element) -> dict[str, Rectangle]:
    found = {}
    for group in picture.iter(f"{SVG}g"):
        if name := group.get("data-state"):
            outer = next(group.iter(f"{SVG}rect"))
            x, y, width, height = (float(outer.get(key) or "nan") for key in ("x", "y", "width", "height"))
            found[name] = (x, y, x + width, y + height)
    return found


def lines(picture: ET.Element) -> dict[int, list[tuple[float, float]]]:
    return {
        int(line.get("data-edge") or ""): [
            (float(x), float(y)) for x, y in (pair.split(",") for pair in (line.get("points") or "").split())
        ]
        for line in picture.iter(f"{SVG}polyline")
    }


def apart(one: Rectangle, other: Rectangle) -> bool:
    return one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


def test_every_state_is_drawn_once_and_no_two_boxes_overlap(picture: ET.Element) -> None:
    assert sorted(
        group.get("data-state") or "" for group in picture.iter(f"{SVG}g") if group.get("data-state")
    ) == sorted(state.value for state in STATES)
    for one, other in combinations(boxes(picture).values(), 2):
        assert apart(one, other)


def test_every_edge_is_drawn_once_from_its_state_to_its_state(picture: ET.Element) -> None:
    assert len(list(picture.iter(f"{SVG}polyline"))) == len(EDGES)
    found, places = lines(picture), boxes(picture)
    for number, edge in enumerate(EDGES, 1):
        begin, end = found[number][0], found[number][-1]
        if len(edge.sources) <= MANY:
            assert not apart((*begin, *begin), places[edge.sources[0].value]), edge
        assert not apart((*end, *end), places[edge.to.value]), edge


def test_no_line_runs_over_a_box_of_others_or_along_another_line(picture: ET.Element) -> None:
    found, places = lines(picture), boxes(picture)
    for number, points in found.items():
        edge = EDGES[number - 1]
        own = {edge.sources[0].value, edge.to.value}
        for (x1, y1), (x2, y2) in pairwise(points):
            stretch = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            assert all(apart(stretch, box) for name, box in places.items() if name not in own), edge
    steps: set[tuple[float, float, bool]] = set()
    for points in found.values():
        for (x1, y1), (x2, y2) in pairwise(points):
            assert x1 == x2 or y1 == y2
            level = y1 == y2
            places_on_it = (
                {(x, y1, level) for x in range(int(min(x1, x2)), int(max(x1, x2)))}
                if level
                else {(x1, y, level) for y in range(int(min(y1, y2)), int(max(y1, y2)))}
            )
            assert not places_on_it & steps
            steps |= places_on_it


def test_every_number_stands_on_its_line_and_touches_no_box_or_other_number(picture: ET.Element) -> None:
    found = lines(picture)
    circles: dict[int, Rectangle] = {}
    for group in picture.iter(f"{SVG}g"):
        if number := group.get("data-badge"):
            circle = next(group.iter(f"{SVG}circle"))
            x, y, radius = (float(circle.get(key) or "nan") for key in ("cx", "cy", "r"))
            circles[int(number)] = (x - radius, y - radius, x + radius, y + radius)
            on_line = any(
                min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
                for (x1, y1), (x2, y2) in pairwise(found[int(number)])
            )
            assert on_line, number
    assert circles.keys() == found.keys()
    for one, other in combinations(circles.values(), 2):
        assert apart(one, other)
    for circle_box in circles.values():
        assert all(apart(circle_box, box) for box in boxes(picture).values())


def test_it_has_colours_for_both_grounds_and_asks_for_nothing(picture: ET.Element) -> None:
    text = lifecycle_picture()
    assert "prefers-color-scheme: dark" in text
    assert text == lifecycle_picture()
    assert "href" not in text
    assert set(PLACES) == set(STATES)


def test_where_there_is_no_room_it_is_said() -> None:
    walled = [Box(0, 0, 3, 3), Box(4, 0, 4, 9), Box(6, 0, 9, 3)]
    with pytest.raises(NoWay):
        Lanes(10, 10, walled).route(walled[0], walled[2])
    with pytest.raises(NoWay):
        badge_places([[(0, 0), (1, 0)]])


def test_a_line_is_as_straight_as_it_can_be() -> None:
    one, other = Box(0, 0, 4, 4), Box(10, 0, 14, 4)
    path = Lanes(20, 20, [one, other]).route(one, other)
    assert corners(path) == [(4, 2), (10, 2)]

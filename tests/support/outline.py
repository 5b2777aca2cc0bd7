"""What a page consists of, without a browser."""

from html.parser import HTMLParser

Element = tuple[str, dict[str, str | None]]


class Outline(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def named(self, *tags: str) -> list[Element]:
        return [each for each in self.elements if each[0] in tags]

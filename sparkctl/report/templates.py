"""The templates of pages for a browser."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Templates in which everything is escaped, and nothing that is missing passes for empty."""
    return Environment(
        loader=PackageLoader("sparkctl.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

"""Every document of the corpus: read in its shape, every field accounted for, none unknown."""

from pathlib import Path

import pytest

from sparkctl.contract.vendor import NoShape, pieces, read_vendor
from tests.support.corpus import corpus_folder

NO_DOCUMENT_OF_A_TOOL = "nvaia-payload.json"  # what an asset tag holds, not what a tool prints


@pytest.fixture(scope="module")
def corpus() -> Path:
    return corpus_folder("nvidia", "the vendor's sample documents are not held against the mapping")


@pytest.mark.parametrize(
    ("folder", "shapes"), [("samples", {"tool", "orchestrator"}), ("samples-landscape", {"script"})]
)
def test_every_sample_is_read_and_nothing_in_it_is_unknown(corpus: Path, folder: str, shapes: set[str]) -> None:
    seen = set()
    for path in sorted((corpus / folder).glob("*.json")):
        if path.name == NO_DOCUMENT_OF_A_TOOL:
            continue
        (piece,) = pieces(path.read_bytes())
        read = read_vendor(piece.text)
        seen.add(read.shape)
        unknown = [fate.source for fate in read.taken.fates if not fate.fields and fate.reason is None]
        assert unknown == [], path.name
    assert seen == shapes


def test_the_payload_of_an_asset_tag_is_no_document_of_a_tool(corpus: Path) -> None:
    with pytest.raises(NoShape):
        read_vendor((corpus / "samples" / NO_DOCUMENT_OF_A_TOOL).read_bytes())

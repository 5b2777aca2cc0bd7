"""Deltas over any two states of a stream, from lists that say too little or too much."""

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.airgap.tree import Tree
from sparkctl.app.airgap_bundle import Bundle, find_parts, read_contents, require_all
from sparkctl.app.airgap_files import Desk, canonical
from sparkctl.app.airgap_pack import Wanted, folder_files, pack
from sparkctl.model.transfer import HaveList
from tests.airgap.gaps import contents

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b/c", "b/d", "e f", "ü/ß", "b/g/h"])
STATES = st.dictionaries(NAMES, st.binary(max_size=40), min_size=1)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def written(folder: Path, state: dict[str, bytes]) -> Path:
    for path, content in state.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


@settings(max_examples=40, deadline=None)
@given(before=STATES, after=STATES, data=st.data())
def test_what_is_there_and_what_is_carried_are_the_new_state(
    before: dict[str, bytes], after: dict[str, bytes], data: st.DataObject
) -> None:
    there = {digest(content) for content in before.values()}
    said = data.draw(st.sets(st.sampled_from(sorted(there | set(map(digest, after.values()))))))
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        tree = Tree(top / "tree")
        tree.make()
        for path, content in before.items():
            tree.put(digest(content), written(top / "before", {path: content}) / path)
        source = written(top / "after", after)
        have = HaveList(stream="s", sequence=1, taken_at=NOW, blobs=sorted(said))
        wanted = Wanted("s", folder_files(source, top / "out"), top / "out", 2**20, have, None, (), "somebody")
        made = pack(Desk(top / "state"), wanted, NOW)

        assert set(made.manifest.carried) == {digest(content) for content in after.values()} - said
        bundle = Bundle(made.folder, made.manifest, digest(canonical(made.manifest)), "", [])
        found = find_parts(bundle, [made.folder])
        require_all(bundle, found)

        def take(name: str, read: object) -> None:
            place = top / "taken"
            with place.open("wb") as file:
                read(file.write)  # type: ignore[operator]
            tree.put(name, place)

        read_contents(bundle, found.places, take)
        lacking = {each for each in map(digest, after.values()) if not tree.holds(each)}
        assert lacking == (set(map(digest, after.values())) & said) - there
        if not lacking:
            tree.turn(tree.build(made.manifest, bundle.manifest_sha256))
            assert contents(top / "tree/current") == after

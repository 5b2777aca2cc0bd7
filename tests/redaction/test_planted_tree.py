"""A lab node with secrets planted in logs, process titles, container configuration and names of files."""

import io
import json
import time
from pathlib import Path

from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.redaction.canaries import Canary, canaries, encoded
from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Redactor
from sparkctl.redaction.standins import Pseudonyms
from sparkctl.redaction.survivors import MOST, survivors
from tests.redaction.trees import KEY, files_of, harvest, redact_tree

PLACES = ("var/log/app.log", "proc/4242/cmdline", "var/lib/docker/containers/c0/config.v2.json")


def planted(folder: Path) -> tuple[Path, Known, tuple[Canary, ...]]:
    write_tree(render(model_of("sim-01", 7, "founders", None)), folder / "sim-01", Pool(folder / "pool"), time.time())
    root = root_view((folder / "sim-01").resolve())
    made = canaries(Known())
    texts = [text for canary in made for _, text in encoded(canary.text)]
    log, title, container = (root / place for place in PLACES)
    for place in (log, title, container):
        place.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"".join(b"Nov 29 20:21:46 sim-01 app[7]: " + text + b"\n" for text in texts))
    title.write_bytes(b"\0".join([b"serve", *texts]))
    container.write_text(json.dumps({"Config": {"Env": [text.decode() for text in texts]}}))
    for at, canary in enumerate(made):
        if b"/" not in canary.text and b"\n" not in canary.text:
            (root / "var/log" / f"{at} {canary.text.decode()}").write_text("x")
    return root, harvest(root), made


def test_no_planted_secret_and_no_identifier_of_the_node_is_left(tmp_path: Path) -> None:
    root, known, made = planted(tmp_path)
    patterned = [canary for canary in made if not canary.rule.startswith("known.")]
    out = redact_tree(root, tmp_path / "redacted", Redactor(Pseudonyms(KEY), known))
    names = "\n".join(str(path.relative_to(out)) for path in out.rglob("*")).encode()
    content = b"\n".join(path.read_bytes() for path in files_of(out))
    assert survivors(io.BytesIO(names + b"\n" + content), known, patterned) == []


def test_the_search_finds_them_before(tmp_path: Path) -> None:
    root, known, made = planted(tmp_path)
    content = b"\n".join(path.read_bytes() for path in files_of(root))
    found = survivors(io.BytesIO(content), known, made)
    assert len(found) == MOST

"""A part of a bundle stands on the signature of the whole, and tells nothing of the rest but its number."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from sparkctl.errors import UsageError
from sparkctl.evidence.reading import opened
from sparkctl.evidence.schemas import write_schemas
from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.evidence.subsets import subset
from sparkctl.evidence.trust import AllowedSigners, PublicKey
from sparkctl.evidence.verifying import Authenticity, verify
from tests.evidence.hostile import tar_in
from tests.evidence.making import (
    ABOUT,
    CONTENTS,
    MISSING,
    SALT_KEY,
    allowed,
    facts_of,
    openssh_key,
    pem_key,
    sealed,
    write_files,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return sealed(folder / "b", signer_of(pem_key(folder))).path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.sets(st.sampled_from(sorted(CONTENTS)), min_size=1))
def test_any_part_is_verified_against_the_signature_of_the_whole(whole: Path, tmp_path: Path, wanted: set[str]) -> None:
    (tmp_path / "part").unlink(missing_ok=True)
    subset(whole, wanted, tmp_path / "part")
    found = verify(tmp_path / "part", PublicKey(whole.parent / "key.pub.pem"))
    full = verify(whole, PublicKey(whole.parent / "key.pub.pem"))
    assert (found.authenticity, found.signed_by) == (Authenticity.SIGNED, full.signed_by)
    assert (found.entries, found.withheld) == (len(wanted), len(CONTENTS) - len(wanted))
    assert (found.merkle_root, found.about) == (full.merkle_root, full.about)
    assert (found.missing, found.missing_count, found.manifest_sha256) == ((), len(MISSING), None)
    with opened(tmp_path / "part") as part:
        assert {entry.path: part.read(entry.path, 2**20) for entry in part.entries()} == {
            path: CONTENTS[path] for path in wanted
        }


def test_an_openssh_signature_carries_a_part_too(tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    sealed(tmp_path / "b", signer_of(key))
    subset(tmp_path / "b", ["tree/proc/uptime"], tmp_path / "part")
    assert verify(tmp_path / "part", AllowedSigners(allowed(tmp_path, key))).signed_by
    assert verify(tmp_path / "part", None).authenticity is Authenticity.NOT_CHECKED


def test_nothing_of_what_is_withheld_is_in_it(whole: Path, tmp_path: Path) -> None:
    wanted = {"tree/proc/uptime"}
    subset(whole, wanted, tmp_path / "part")
    tar = tar_in(tmp_path / "part")
    with opened(whole) as bundle:
        withheld = [entry for entry in bundle.entries() if entry.path not in wanted]
    assert len(withheld) == len(CONTENTS) - 1
    for entry in withheld:
        for secret in (entry.path, entry.salt, entry.sha256):
            assert secret.encode() not in tar
    for missing in MISSING:
        assert missing.name.encode() not in tar


def test_the_same_part_is_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    for name, wanted in (
        ("1", ["tree/proc/uptime", "judged/health.json"]),
        ("2", ["judged/health.json", "tree/proc/uptime"]),
    ):
        subset(whole, wanted, tmp_path / name)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_parts_that_cannot_be_made(whole: Path, tmp_path: Path) -> None:
    sealed(tmp_path / "unsigned")
    subset(whole, ["tree/proc/uptime"], tmp_path / "part")
    before = sorted(tmp_path.rglob("*"))
    for bundle, wanted, out, words in (
        (tmp_path / "unsigned", ["tree/proc/uptime"], "out", "is not signed"),
        (tmp_path / "part", ["tree/proc/uptime"], "out", "a part of a bundle already"),
        (whole, ["tree/proc/uptime", "tree/proc/no\x1b"], "out", r"holds no tree/proc/no\\u001b"),
        (whole, [], "out", "no entry is wanted"),
        (whole, ["tree/proc/uptime"], "part", "exists"),
        (whole, ["tree/proc/uptime"], "absent/out", "there is no folder"),
    ):
        with pytest.raises(UsageError, match=words):
            subset(bundle, wanted, tmp_path / out)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_bundle_gives_no_part(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(UsageError, match="damaged"):
        subset(tmp_path / "cut", ["tree/proc/uptime"], tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut"]


def test_the_schemas_inside_allow_what_is_inside(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "spool", CONTENTS)
    facts = [*facts_of(CONTENTS), *write_schemas(folder, ["health-envelope"])]
    signer = signer_of(pem_key(tmp_path))
    seal(folder, facts, MISSING, ABOUT, tmp_path / "b", salt_key=SALT_KEY, signer=signer)
    subset(tmp_path / "b", ["tree/proc/uptime"], tmp_path / "part")

    with opened(tmp_path / "b") as bundle, opened(tmp_path / "part") as part:
        assert bundle.read("schemas/health-envelope.schema.json", 2**20)
        assert bundle.head.statement is not None
        documents = {
            "evidence-manifest": json.loads(bundle.head.content),
            "evidence-envelope": json.loads(bundle.head.statement_content),
            "evidence-statement": bundle.head.statement.statement.model_dump(mode="json"),
            "evidence-disclosure": json.loads(part.head.content),
        }
        for name, document in documents.items():
            schema = json.loads(bundle.read(f"schemas/{name}.schema.json", 2**20))
            Draft202012Validator(schema).validate(document)
            with pytest.raises(ValidationError, match="Additional properties"):
                Draft202012Validator(schema).validate({**document, "more": 1})

"""Mirrors of models of a Hub, each at one commit."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from sparkctl.airgap.mirrors.hub_token import token_in
from sparkctl.airgap.mirrors.kind import Fetched, Planned, Proven
from sparkctl.airgap.mirrors.model_fetch import fetch_models, plan_models
from sparkctl.airgap.mirrors.model_proof import prove_models
from sparkctl.app.airgap_files import told
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches
from sparkctl.app.site_values import url
from sparkctl.errors import UsageError
from sparkctl.model.mirror_models import DEFAULT_FILES, Model, ModelsMirror, ModelsServed

HUB = "https://huggingface.co"
ENVIRONMENT = "etc/default/huggingface"

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_repository = matches(f"{_PART}/{_PART}", "must be a repository such as nvidia/Llama-3.1-8B-Instruct-FP8")
_pattern = matches(r"[A-Za-z0-9*?._+/=@ -]{1,120}", "must be a pattern of paths such as *.safetensors")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Models:
    """The kind `models`."""

    keys: tuple[str, ...] = ("endpoint", "token_file", "repositories")
    clients_verify = False  # the client of a Hub takes digests from headers

    def read(self, name: str, fields: Fields) -> ModelsMirror | None:
        """An entry; None, with the problem noted, where it cannot be used."""
        endpoint = (fields.text("endpoint", url) or HUB).rstrip("/")
        token = fields.text("token_file", lambda text: lexical(fields.folder / text))
        if token is not None:
            _require_private(fields, token, endpoint)
        if not fields.has("repositories"):
            fields.wrong(None, "`repositories` is missing", "Indent `ORG/NAME: {revision: COMMIT}` lines under it.")
        models = []
        for repository, under in fields.each("repositories", ("revision", "files"), _repository):
            revision = under.text("revision", _commit, required="Write the 40 digits of a commit: `revision: ...`.")
            files = under.texts("files", _pattern) or list(DEFAULT_FILES)
            if revision is not None:
                models.append(Model(repository=repository, revision=revision, files=files))
        if not models:
            return None
        return ModelsMirror(name=name, endpoint=endpoint, token_file=str(token) if token else None, models=models)

    def origin(self, spec: ModelsMirror) -> list[str]:
        """Each repository with its commit."""
        return [f"{spec.endpoint}/{model.repository} {model.revision}" for model in spec.models]

    def plan(self, spec: ModelsMirror, work: Path) -> Planned:
        """What the commits have, by their pointers."""
        with told(work):
            return plan_models(spec, work)

    def fetch(self, spec: ModelsMirror, work: Path) -> Fetched:
        """By git and curl."""
        with told(work):
            return fetch_models(spec, work)

    def prove(self, served: ModelsServed, folder: Path) -> Proven:
        """From the ids of the commits."""
        with told(folder):
            return prove_models(served, folder)

    def vouchers(self, served: ModelsServed) -> list[str]:  # noqa: ARG002 - each is known by its commit
        """Nobody beside whoever named the commits."""
        return []

    def client(self, served: ModelsServed, url: str, name: str) -> dict[str, str]:  # noqa: ARG002 - one Hub is all
        """The environment of what loads models: for a unit of systemd, a container, or a shell."""
        return {ENVIRONMENT: f"HF_ENDPOINT={url}\nHF_HUB_DISABLE_XET=1\nHF_HUB_DISABLE_TELEMETRY=1\n"}


def _commit(text: str) -> str:
    if not _COMMIT.fullmatch(text):
        raise ValueError("must be the 40 digits of a commit, which never changes, as a branch or a tag does")
    return text


def _require_private(fields: Fields, token: Path, endpoint: str) -> None:
    """Note a token that others can read, or that would cross the network for everybody to read."""
    try:
        token_in(token)
    except UsageError as error:
        fields.wrong("token_file", error.message, f"{error.hint or 'Correct it'}.")
    parts = urlsplit(endpoint)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost"}:
        fields.wrong("token_file", f"a token would go to {endpoint} for everybody to read", "Write an https endpoint.")

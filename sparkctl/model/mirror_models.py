"""Models of a Hub: which repositories, at which commit, and which of their files."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Text, Word

ModelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$", max_length=192)
]
"""A repository of a Hub, such as nvidia/Llama-3.1-8B-Instruct-FP8."""

CommitId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
"""The id of a commit of git: 40 hexadecimal digits, from which every file of it can be proven."""

DEFAULT_FILES = (
    "*.safetensors", "*.json", "*.jinja", "*.model", "*.tiktoken", "*.txt", "*.md", "LICENSE*",
    "NOTICE*", "USE_POLICY*",
)  # fmt: skip
"""What is taken of a repository that names no files: weights that run no code when they are loaded, and texts."""


class Model(Record):
    """A repository at one commit; `files` are patterns of paths, in which * stands for anything."""

    repository: ModelName
    revision: CommitId
    files: Annotated[list[Word], Field(min_length=1, max_length=100)]


Models = Annotated[list[Model], Field(min_length=1, max_length=200)]


class ModelsMirror(Record):
    """Models to mirror from one Hub; `token_file` is a private file with a token for it."""

    name: Word
    endpoint: Text
    token_file: Text | None
    models: Models


class ModelsServed(Record):
    """Which models are there."""

    kind: Literal["models"] = "models"
    models: Models

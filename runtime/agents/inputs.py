"""What each tool takes: a closed list of fields, each with its bounds."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_LINES = 400
Repository = Annotated[
    str, Field(min_length=1, max_length=2_000, description="A repository's name (owner/name), URL or id.")
]
FilePath = Annotated[str, Field(min_length=1, max_length=4_096, description="A file's path in the repository.")]


class Input(BaseModel):
    """The fields of one call; any other is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Input):
    """No fields."""


class About(Input):
    """One repository."""

    repository: Repository


class Part(About):
    """One repository, or a part of it: all that are given must hold."""

    folder: str = Field(default="", max_length=4_096, description="A folder's path: nothing outside is searched.")
    path: str = Field(default="", max_length=4_096, description="A file's path: nothing else is searched.")
    language: str = Field(default="", max_length=100, description="A language: only its files are searched.")
    symbol: str = Field(default="", max_length=500, description="A definition's name: only its lines are searched.")

    def scope(self) -> dict[str, str]:
        """What the API takes of it."""
        return {"folder": self.folder, "path": self.path, "language": self.language, "symbol": self.symbol}


class Search(Part):
    """A search."""

    query: str = Field(min_length=1, max_length=2_000, description="A question, names, or words of the code.")
    limit: int = Field(default=8, ge=1, le=20, description="How many passages at most.")


class Read(About):
    """Lines of a file."""

    path: FilePath
    first_line: int = Field(default=1, ge=1, le=10_000_000)
    last_line: int | None = Field(
        default=None, ge=1, le=10_000_000, description=f"At most {MOST_LINES} lines are given at once."
    )


class Symbols(About):
    """Definitions by name or file."""

    name: str | None = Field(default=None, min_length=1, max_length=200, description="How the name begins.")
    path: FilePath | None = None
    limit: int = Field(default=30, ge=1, le=100)


class Callers(About):
    """Who calls a definition."""

    symbol: str = Field(
        pattern=r"^[0-9]{1,9}-[0-9]{1,9}$", max_length=19, description="The id that `symbols` gives for a definition."
    )
    limit: int = Field(default=30, ge=1, le=100)


class Ask(Part):
    """A question."""

    question: str = Field(min_length=1, max_length=4_000)
    mode: Literal["answer", "deep", "extractive"] = Field(
        default="answer",
        description="answer: one search, then the model; deep: the model searches and reads in steps, which takes"
        " longer; extractive: the places themselves, without a model.",
    )

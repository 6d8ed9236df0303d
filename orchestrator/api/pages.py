"""The shapes of lists: pages of `items`, and the cursor of the `next` one."""

from fastapi import Response
from pydantic import BaseModel

from events.base import Envelope
from orchestrator.api.content_models import DependencyView, FileView, SymbolView
from orchestrator.api.conversation_models import ConversationSummary
from orchestrator.api.credential_models import CredentialView
from orchestrator.api.models import (
    AnalysisSummary,
    RepositoryView,
)


class JsonText(Response):
    """An answer that is JSON already."""

    media_type = "application/json"


class AnalysisPage(BaseModel):
    """A page of analyses; `next` is the cursor of the following page, null on the last one. All lists are so."""

    items: list[AnalysisSummary]
    next: str | None = None


class RepositoryPage(BaseModel):
    """A page of repositories."""

    items: list[RepositoryView]
    next: str | None = None


class FilePage(BaseModel):
    """A page of entries of the tree; `total` counts them over all pages."""

    items: list[FileView]
    total: int
    next: str | None = None


class SymbolPage(BaseModel):
    """A page of definitions; `total` counts them over all pages."""

    items: list[SymbolView]
    total: int
    next: str | None = None


class DependencyPage(BaseModel):
    """A page of dependencies by manifest; `total` counts them over all pages."""

    items: list[DependencyView]
    total: int
    next: str | None = None


class ConversationPage(BaseModel):
    """A page of conversations, each with its first question."""

    items: list[ConversationSummary]
    next: str | None = None


class EventPage(BaseModel):
    """A page of events as the log recorded them."""

    items: list[Envelope]
    next: str | None = None


class CredentialPage(BaseModel):
    """The kept tokens; there are never more than one page of them."""

    items: list[CredentialView]
    next: str | None = None

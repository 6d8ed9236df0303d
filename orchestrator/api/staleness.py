"""Whether the commit that was analysed is still the newest one: the host is asked, politely."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from orchestrator.adapters.lookups import Found
from orchestrator.api.dependencies import Parts, Reader, Services
from orchestrator.api.intake import is_commit, read_request
from orchestrator.api.models import AnalysisRequest, AnalysisState, AnalysisSummary
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.limits.rules import Resource
from orchestrator.projections.stages import summary_of
from runtime.upload_url import SCHEME

router = APIRouter(prefix="/repositories", tags=["contents"])
_FIXED = Found(ref=None, path="", commit=None, default_branch=None, branches=[], tags=[], branch_count=0, tag_count=0)
_NOTHING_CAME = frozenset({AnalysisState.FAILED, AnalysisState.CANCELLED})


class Standing(StrEnum):
    """Where the analysed commit stands: the newest of its ref, behind it, or one that cannot be behind."""

    CURRENT = "current"
    BEHIND = "behind"
    FIXED = "fixed"


class StalenessView(BaseModel):
    """What the analysis of a repository that serves is of, and what its ref points to now; else the newest one.

    `behind_by` is how many commits the host says that lie between, null where it does not say; with `behind_or_more`
    there are so many, or more. `checked_at` is when the host was asked: it is asked again after five minutes at the
    soonest.
    """

    analysis_id: UUID
    standing: Standing
    ref: str | None
    commit: str
    newest: str | None
    behind_by: int | None = None
    behind_or_more: bool = False
    checked_at: datetime


@router.get("/{repository_id}/staleness")
async def staleness(repository_id: UUID, who: Reader, parts: Parts, request: Request) -> StalenessView:
    """Ask the host whether the ref of the analysis that serves points to another commit by now.

    Where none serves yet it is the newest one or, where that failed or was stopped, the newest that is whole.
    A new analysis of the repository then takes over what did not change.
    """
    latest = await _measured(parts, who.tenant_id, repository_id)
    if latest is None or latest.commit is None:
        raise ApiProblem("not_found", "Check the id: no repository of yours with a commit that was analysed has it.")
    commit = latest.commit
    if latest.url.startswith(SCHEME) or (latest.ref is not None and is_commit(latest.ref)):
        return _view(latest, commit, Standing.FIXED, _FIXED.model_copy(update={"commit": commit}), parts.clock())
    host, at = await _asked(parts, who, request, latest, commit)
    standing = Standing.BEHIND if host.commit is not None and host.commit != commit else Standing.CURRENT
    return _view(latest, commit, standing, host, at)


async def _measured(parts: Services, tenant_id: UUID, repository_id: UUID) -> AnalysisSummary | None:
    """What people have of a repository: what failed after it, or is still at work, took nothing of its place."""
    found = await parts.read.repository(tenant_id, repository_id)
    if found is None or found.latest is None:
        return None
    if found.serving is None:
        came = found.latest.state not in _NOTHING_CAME
        return found.latest if came else await parts.read.whole_analysis(tenant_id, repository_id, None)
    if found.serving == found.latest.analysis_id:
        return found.latest
    record = await parts.read.record(tenant_id, found.serving)
    return summary_of(record) if record is not None else None


def _view(latest: AnalysisSummary, commit: str, standing: Standing, host: Found, at: datetime) -> StalenessView:
    is_behind = standing is Standing.BEHIND
    return StalenessView(
        analysis_id=latest.analysis_id,
        standing=standing,
        ref=latest.ref,
        commit=commit,
        newest=host.commit,
        behind_by=host.ahead if is_behind else None,
        behind_or_more=is_behind and host.ahead is not None and host.ahead_or_more,
        checked_at=at,
    )


async def _asked(
    parts: Services, who: Identity, request: Request, latest: AnalysisSummary, commit: str
) -> tuple[Found, datetime]:
    """What the host said within the last minutes, or says now, by what this person may read the repository with."""
    at = parts.clock()
    key = (who.tenant_id, who.user_id, latest.url, latest.ref, commit)
    known = parts.lookups.heard.known(key, at)
    if known is None:
        wanted = read_request(AnalysisRequest(url=latest.url, ref=latest.ref), parts.rules)
        await parts.gate.take(request, who, Resource.LOOKUPS)
        chosen = await parts.credentials.choose(who, wanted.repository.host, token=None, named=None, at=at)
        ref = chosen.ref if chosen is not None else None
        login = await parts.logins.login_to_look(who, wanted.repository, token=None, ref=ref)
        asking = parts.lookups.find(wanted.repository.url, ref=wanted.ref, rest=None, login=login, since=commit)
        known = await parts.lookups.heard.keep(key, asking, at)
    return known

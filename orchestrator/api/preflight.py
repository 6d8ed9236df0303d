"""Look before an analysis begins: whether the host has it, what is meant, and whether it is here already."""

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from orchestrator.adapters.lookups import Found
from orchestrator.api.dependencies import Parts, Services, Writer, record_of
from orchestrator.api.intake import Wanted, read_folder, read_ref, read_request
from orchestrator.api.models import AnalysisRequest, AnalysisState, AnalysisSummary
from orchestrator.auth.identity import Identity
from orchestrator.limits.rules import Resource
from orchestrator.projections.stages import summary_of
from runtime.faults import Permanent

router = APIRouter(prefix="/preflight", tags=["analyses"])
_NO_REFS = Found(ref=None, path="", commit=None, default_branch=None, branches=[], tags=[], branch_count=0, tag_count=0)
_SHOWN = 100  # branches, and as many tags


class PreflightView(BaseModel):
    """What a request for an analysis would mean at this moment. Null `ref`: the default branch, as it was asked.

    `branches` and `tags` are the first of them by name.
    `size` is what the host says that the repository takes, in bytes, history and all; null where it does not say.
    `finished` is a whole analysis of the same commit and folder.
    """

    url: str
    host: str
    name: str
    ref: str | None
    folder: str
    commit: str | None
    default_branch: str | None
    branches: list[str]
    tags: list[str]
    branch_count: int
    tag_count: int
    size: int | None = None
    finished: AnalysisSummary | None = None


@router.post("")
async def preflight(body: AnalysisRequest, who: Writer, parts: Parts, request: Request) -> PreflightView:
    """Ask the repository's host what a request for an analysis would mean, without beginning one.

    Where a branch with slashes and a folder follow each other in the address, the host's own refs decide, the longest
    first. `finished` is an analysis of the same commit and folder that is here already.
    """
    wanted, found = await look(parts, who, request, body)
    return PreflightView(
        url=wanted.repository.url,
        host=wanted.repository.host,
        name=wanted.repository.name,
        ref=wanted.ref,
        folder=wanted.folder,
        commit=found.commit,
        default_branch=found.default_branch,
        branches=found.branches[:_SHOWN],
        tags=found.tags[:_SHOWN],
        branch_count=found.branch_count,
        tag_count=found.tag_count,
        size=found.size,
        finished=await finished_at(parts, who, wanted, found.commit),
    )


async def look(parts: Services, who: Identity, request: Request, body: AnalysisRequest) -> tuple[Wanted, Found]:
    """What a request means, settled with the host, and what that said. Raises as `Lookups.find`, and ApiProblem."""
    wanted = read_request(body, parts.rules)
    await parts.gate.take(request, who, Resource.LOOKUPS)
    if wanted.content is not None:
        await parts.uploads.by_content(who, wanted.content)
        return wanted, _NO_REFS
    repository, at = wanted.repository, parts.clock()
    token = body.token.get_secret_value() if body.token is not None else None
    chosen = await parts.credentials.choose(who, repository.host, token=token, named=body.credential, at=at)
    login = await parts.logins.login_to_look(who, repository, token=token, ref=chosen.ref if chosen else None)
    found = await parts.lookups.find(repository.url, ref=wanted.ref, rest=wanted.unsettled, login=login)
    return settled(wanted, found), found


def settled(wanted: Wanted, found: Found) -> Wanted:
    """The request with the ref and the folder that the host's refs make of its address."""
    if wanted.unsettled is None:
        return wanted
    pointed = "" if wanted.repository.inside is None or wanted.repository.inside.is_file else read_folder(found.path)
    if wanted.folder and pointed and wanted.folder != pointed:
        raise Permanent("bad_folder", "The address names another folder than the request does: leave one of them out.")
    return replace(wanted, ref=read_ref(found.ref), folder=wanted.folder or pointed, unsettled=None)


async def finished_at(parts: Services, who: Identity, wanted: Wanted, commit: str | None) -> AnalysisSummary | None:
    """The newest analysis of the same repository and folder that is whole, of that commit, and left out as much.

    None where that one's history is not read as far back as is wanted.
    """
    if commit is None and wanted.content is None:
        return None
    repository_id = await parts.intake.present_id(who, wanted)
    found = await parts.read.whole_analysis(who.tenant_id, repository_id, commit, wanted.include)
    found = found or await _just_finished(parts, who, wanted, repository_id, commit)
    return found if found is not None and not found.damaged and found.history_depth >= wanted.history else None


async def _just_finished(
    parts: Services, who: Identity, wanted: Wanted, repository_id: UUID, commit: str | None
) -> AnalysisSummary | None:
    """One whose end has not come to the read models: whoever is told that it is ready must not begin it anew."""
    for analysis_id in await parts.read.going_on(who.tenant_id, repository_id):
        record = await record_of(parts, who, analysis_id)
        view = record.view
        whole = view.state in {AnalysisState.READY, AnalysisState.REFINED} and not view.partial
        if whole and view.commit == (commit or view.commit) and view.include == list(wanted.include):
            return summary_of(record)
    return None

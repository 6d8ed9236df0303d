"""The overview of an analysed repository: what it is, how it is built, how its modules talk, how to run and test it."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from fastapi import APIRouter, Request

from events.artifacts import ArtifactRef
from events.base import Draft
from events.conversation import ConversationStarted
from events.question import QuestionAsked
from orchestrator.adapters.sources import NoLines
from orchestrator.api.contents import MAX_LINES, known_as_of
from orchestrator.api.dependencies import (
    Asker,
    Parts,
    Reader,
    Services,
    cloned_artifacts,
    context_of,
    history_of,
    not_cloned,
)
from orchestrator.api.freshness import Freshness
from orchestrator.api.models import AnalysisView, QuestionView, StageState
from orchestrator.api.overview_models import (
    ModuleLinkView,
    ModuleView,
    OverviewRequest,
    OverviewSectionView,
    OverviewView,
)
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.limits.rules import Resource
from orchestrator.overview.commands import READ
from orchestrator.overview.compose import Overview, compose, records, words
from orchestrator.overview.facts import Facts
from orchestrator.overview.wording import cited, told
from orchestrator.projections.analyses import AnalysisRecord, fold
from orchestrator.projections.conversations import fold as fold_conversation
from runtime.redaction import redact_lines

router = APIRouter(tags=["overview"])
_QUERY = "What is this repository, how is it built, and how do I run and test it?"
_MANIFESTS = 8  # with entry points, that are read


@router.get("/analyses/{analysis_id}/overview", responses={409: {}})
async def one(analysis_id: UUID, who: Reader, parts: Parts, known: Freshness) -> OverviewView:
    """What it is, how it is built, its main modules and how they talk, entry points, how to run and test it.

    From facts alone, each with its lines; more of them while the analysis goes on.
    """
    await known_as_of(parts, who, analysis_id, known)
    return _shown(*await overview_of(parts, who, analysis_id))


async def overview_of(parts: Services, who: Identity, analysis_id: UUID) -> tuple[AnalysisRecord, Overview]:
    """The analysis and its overview. Raises ApiProblem `not_found` or `not_cloned`."""
    history = await history_of(parts, who, f"analysis/{analysis_id}")
    artifacts, record = cloned_artifacts(history), fold(history)
    if record is None or record.view.commit is None:
        raise not_cloned(history)
    return record, compose(await _facts(parts, who, record.view, artifacts))


@router.post("/analyses/{analysis_id}/overview", status_code=202)
async def write(analysis_id: UUID, body: OverviewRequest, who: Asker, parts: Parts, request: Request) -> QuestionView:
    """Have the overview told in prose by a model, in a conversation of its own, which can be gone on with.

    It is given the facts and the lines that these cite, and may cite nothing else. Where there is no model, or it
    fails, the answer is the facts.
    """
    if body.model is not None and body.model not in parts.models:
        raise ApiProblem("model_not_configured", "Choose one of the models that /api/v1/config lists, or none.")
    await parts.gate.take(request, who, Resource.QUESTIONS)
    record, overview = await overview_of(parts, who, analysis_id)
    view = record.view
    context = context_of(request, who, view.repository_id)
    stream_id = f"conversation/{uuid4()}"
    started = ConversationStarted(repository_id=view.repository_id, title=view.name)
    asked = QuestionAsked(
        question_id=uuid4(),
        repository_id=view.repository_id,
        query=_QUERY,
        analysis_id=analysis_id,
        model=body.model,
        facts=_sections(overview),
    )
    now = parts.clock()
    first = Draft(event_id=uuid4(), occurred_at=now, context=context, event=started)
    begun = await parts.journals.of(who.tenant_id).append(stream_id, [first], expected=0)
    added = await parts.asking.accept(who, stream_id, asked, context, now)
    conversation = fold_conversation([*begun, *added])
    if conversation is None:
        raise ApiProblem("not_found", "The repository was deleted while you asked.")
    return conversation.questions[0]


async def _facts(parts: Services, who: Identity, view: AnalysisView, artifacts: tuple[ArtifactRef, ...]) -> Facts:
    found = await parts.contents.overview.of(who.tenant_id, view.analysis_id)
    texts = {}
    for path in _wanted(view.metadata, found.pop("top_files")):
        lines = await parts.sources.lines(artifacts, path, 1, MAX_LINES)
        if not isinstance(lines, NoLines):
            texts[path] = redact_lines(lines.text, path)
    return Facts(
        name=view.name,
        url=view.url,
        commit=view.commit or "",
        metadata=view.metadata,
        structure=view.structure,
        texts=texts,
        **found,
    )


def _wanted(metadata: Mapping[str, object], top_files: list[str]) -> list[str]:
    """The files whose lines are cited: the README, manifests that name entry points, files of tools at the top."""
    manifests = [words(point, "path") for point in records(metadata, "entry_points")]
    manifests = list(dict.fromkeys(path for path in manifests if path))[:_MANIFESTS]
    asking = [path for path in top_files if path in READ or path in _strings(metadata.get("manifests"))]
    return [path for path in dict.fromkeys([words(metadata, "readme_path"), *manifests, *asking]) if path]


def _strings(found: object) -> set[str]:
    return {one for one in found if isinstance(one, str)} if isinstance(found, list | tuple) else set()


def _shown(record: AnalysisRecord, overview: Overview) -> OverviewView:
    view = record.view
    markdown = _document(view, overview)
    link = record.stages.get("link")
    return OverviewView(
        analysis_id=view.analysis_id,
        repository_id=view.repository_id,
        name=view.name,
        url=view.url,
        commit=view.commit or "",
        has_graph=link is not None and all(run.state is StageState.COMPLETED for run in link.runs.values()),
        sections=[OverviewSectionView(key=one.key, title=one.title, text=one.text) for one in overview.sections],
        modules=[
            ModuleView(
                path=one.path, is_file=one.is_file, files=one.files, lines=one.lines, languages=list(one.languages)
            )
            for one in overview.modules.modules
        ],
        links=[ModuleLinkView.model_validate(vars(one)) for one in overview.modules.edges],
        diagram=overview.diagram,
        citations=cited(markdown),
        questions=list(overview.questions),
        markdown=markdown,
    )


def _sections(overview: Overview) -> str:
    """The sections as one text."""
    return "\n\n".join(f"## {section.title}\n\n{section.text}" for section in overview.sections)


def _document(view: AnalysisView, overview: Overview) -> str:
    """All of it as one Markdown document, the map of the modules after what is said of them."""
    blocks = [f"# {told(view.name)}", f"{told(view.url)} at commit `{view.commit}`, told from facts alone."]
    for section in overview.sections:
        blocks += [f"## {section.title}", section.text]
        if section.key == "modules" and overview.diagram:
            blocks.append(f"```mermaid\n{overview.diagram}\n```")
    return "\n\n".join(blocks) + "\n"

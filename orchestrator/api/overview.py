"""The overview of an analysed repository: what it is, how it is built, how its modules talk, how to run and test it."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter

from events.artifacts import ArtifactRef
from orchestrator.adapters.sources import NoLines
from orchestrator.api.contents import MAX_LINES, known_as_of
from orchestrator.api.dependencies import Parts, Reader, Services, cloned_artifacts, history_of
from orchestrator.api.freshness import Freshness
from orchestrator.api.models import AnalysisView, StageState
from orchestrator.api.overview_models import ModuleLinkView, ModuleView, OverviewSectionView, OverviewView
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.overview.commands import READ
from orchestrator.overview.compose import Overview, compose, records, words
from orchestrator.overview.facts import Facts
from orchestrator.overview.wording import cited, told
from orchestrator.projections.analyses import AnalysisRecord, fold

router = APIRouter(tags=["overview"])
_MANIFESTS = 8  # with entry points, that are read


@router.get("/analyses/{analysis_id}/overview", responses={409: {}})
async def one(analysis_id: UUID, who: Reader, parts: Parts, known: Freshness) -> OverviewView:
    """What it is, how it is built, its main modules and how they talk, entry points, how to run and test it.

    From facts alone, each with its lines; more of them while the analysis goes on.
    """
    await known_as_of(parts, who, analysis_id, known)
    history = await history_of(parts, who, f"analysis/{analysis_id}")
    artifacts, record = cloned_artifacts(history), fold(history)
    if record is None or record.view.commit is None:
        raise ApiProblem("not_cloned", "Wait until the repository is cloned.")
    overview = compose(await _facts(parts, who, record.view, artifacts))
    return _shown(record, overview)


async def _facts(parts: Services, who: Identity, view: AnalysisView, artifacts: tuple[ArtifactRef, ...]) -> Facts:
    found = await parts.contents.overview.of(who.tenant_id, view.analysis_id)
    texts = {}
    for path in _wanted(view.metadata, found.pop("top_files")):
        lines = await parts.sources.lines(artifacts, path, 1, MAX_LINES)
        if not isinstance(lines, NoLines):
            texts[path] = lines.text
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


def _document(view: AnalysisView, overview: Overview) -> str:
    """All of it as one Markdown document, the map of the modules after what is said of them."""
    blocks = [f"# {told(view.name)}", f"{told(view.url)} at commit `{view.commit}`, told from facts alone."]
    for section in overview.sections:
        blocks += [f"## {section.title}", section.text]
        if section.key == "modules" and overview.diagram:
            blocks.append(f"```mermaid\n{overview.diagram}\n```")
    return "\n\n".join(blocks) + "\n"

"""From the API's replies to what is drawn: rows, sentences, the data of the browser's components. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from runtime.client.shapes import (
    AnalysisSummary,
    AnalysisView,
    ConversationSummary,
    Passage,
    PlanStep,
    QuestionView,
    StalenessView,
)
from runtime.language_names import language
from runtime.upload_url import SCHEME
from web_ui import turns
from web_ui.evidence import passage_row, place_of
from web_ui.markdown import read_markdown
from web_ui.usage import dollars
from web_ui.words import ago, count, duration, moment, place, short_commit, visible

_STATES = {
    "requested": ("waiting", "calm"),
    "running": ("analysing", "busy"),
    "unconfirmed": ("to be confirmed", "warn"),
    "answerable": ("answerable", "busy"),
    "ready": ("ready", "good"),
    "refined": ("complete", "good"),
    "failed": ("failed", "bad"),
    "cancelled": ("cancelled", "calm"),
}
_OVER = frozenset({"refined", "failed", "cancelled"})
_ASKABLE = frozenset({"answerable", "ready", "refined"})
_REFINING = frozenset({"refine", "promote", "link"})  # it is ready without them
_ENDED = frozenset({"completed", "failed", "parked", "cancelled"})
_ACTIVE = frozenset({"queued", "running", "retrying"})
_OTHER = "Other"
_SHOWN_SHARES = 6
_WORDS_ONLY = {
    "vectors_unavailable": "the vector server does not answer",
    "vectors_missing": "the vectors are being rebuilt",
    "embedder_unavailable": "the model that embeds questions does not answer",
    "model_changed": "the vectors were made by another model than the one in use",
}
Analysis = AnalysisSummary | AnalysisView  # a view has all that a summary has


def state_pill(analysis: Analysis) -> tuple[str, str]:
    """An analysis' state as a word and a tone (calm, busy, good, warn, bad)."""
    if analysis.partial and analysis.state in {"ready", "refined"}:
        return "ready in part" if analysis.state == "ready" else "complete in part", "warn"
    return _STATES.get(analysis.state, (analysis.state, "calm"))


def staleness_pill(analysis_id: str, found: StalenessView) -> tuple[str, str]:
    """Where the analysed commit stands, as a sentence and a tone."""
    if found.analysis_id != analysis_id:
        return "another analysis of this repository is in use", "warn"
    if found.standing == "behind":
        return f"{behind_words(found)}: {found.ref or 'the default branch'} is at {(found.newest or '')[:10]}", "warn"
    return ("a fixed state" if found.standing == "fixed" else "up to date"), "calm"


def behind_words(found: StalenessView) -> str:
    """`12 commits behind`; `behind` where the host does not say how many."""
    if found.behind_by is None:
        return "behind"
    return f"{count(found.behind_by, 'commit')}{' or more' if found.behind_or_more else ''} behind"


def is_over(analysis: AnalysisView | AnalysisSummary) -> bool:
    """Whether nothing more will happen by itself. A ready analysis has ended where its refinement was stopped."""
    return analysis.state in _OVER or (analysis.state == "ready" and analysis.ended_at is not None)


def can_ask(analysis: AnalysisView) -> bool:
    """Whether questions can be answered now. A failed or cancelled analysis may have become answerable before."""
    return analysis.state in _ASKABLE or analysis.answerable_at is not None


def can_cancel(analysis: AnalysisView) -> bool:
    """Whether there is something to stop: the analysis, or the refinement of a ready one."""
    return not is_over(analysis) and (
        analysis.state != "ready" or any(stage.state in _ACTIVE for stage in analysis.stages)
    )


def can_retry(analysis: AnalysisView) -> bool:
    """Whether the API lets it go on: after a failure, or where an index serves and something is missing of it."""
    if analysis.state not in {"ready", "refined"} or is_stopped(analysis):
        return analysis.state == "failed" or is_stopped(analysis)
    if any(stage.state in _ACTIVE and stage.stage not in _REFINING for stage in analysis.stages):
        return False  # it is being added
    lost = any(stage.state in {"failed", "parked"} for stage in analysis.stages)
    return lost or has_failed_files(analysis) or has_refused_passages(analysis)


def is_stopped(analysis: AnalysisView) -> bool:
    """Whether a person stopped the refinement of a ready analysis."""
    return analysis.state == "ready" and analysis.ended_at is not None


def has_failed_files(analysis: AnalysisView) -> bool:
    """Whether the parse of some file did not end well."""
    return any(name.startswith("failed.") for name in analysis.outcomes)


def has_refused_passages(analysis: AnalysisView) -> bool:
    """Whether a provider gave no vector for some passages."""
    return any(stage.counts.get("not_embedded") for stage in analysis.stages)


def repeatable(analysis: AnalysisView) -> dict[str, int]:
    """The stages of a ready analysis that can run again, with their shards; a clone is read by a new analysis."""
    if analysis.state not in {"ready", "refined"}:
        return {}
    ended = (stage for stage in analysis.stages if stage.state in _ENDED and stage.stage != "clone")
    return {stage.stage: stage.shards for stage in ended}


def signature(analysis: AnalysisView) -> str:
    """What decides whether the page around the timeline must be drawn again; as `signatureOf` in fold.js."""
    states = {stage.stage: stage.state for stage in analysis.stages}
    told = ("clone", "metadata", "structure", "history", "parse", "link")
    done = [name for name in told if states.get(name) == "completed"]
    state = "running" if analysis.state == "requested" else analysis.state
    return "|".join([state, "ended" if analysis.ended_at else "", *done])


def timeline_data(analysis: AnalysisView, now: datetime) -> dict[str, object]:
    """What the timeline component is given; times in ISO 8601, `now` in milliseconds."""
    return {
        "analysis_id": analysis.analysis_id,
        "state": analysis.state,
        "version": analysis.version,
        "began_at": begun_at(analysis).isoformat(),
        "ended_at": analysis.ended_at.isoformat() if analysis.ended_at else None,
        "stages": [stage.model_dump(mode="json") for stage in analysis.stages],
        "signature": signature(analysis),
        "live": not is_over(analysis),
        "now": now.timestamp() * 1_000,
    }


def headline_facts(analysis: Analysis, now: datetime) -> list[str]:
    """One line about an analysis: reference, commit, size, age."""
    facts = [reference(analysis)]
    if analysis.commit:
        facts.append(f"{commit_word(analysis)} {short_commit(analysis.commit)}")
    facts.extend(total_facts(analysis.totals)[:3])
    facts.append(ago(analysis.requested_at, now))
    if analysis.imported_at:
        facts.append(f"imported {ago(analysis.imported_at, now)}")
    return facts


def commit_word(analysis: Analysis) -> str:
    """What the id of the version is of: an upload has no commit, its id is its content's."""
    return "content" if analysis.url.startswith(SCHEME) else "commit"


def reference(analysis: Analysis) -> str:
    """What was asked for, or the name of the default branch."""
    if analysis.url.startswith(SCHEME):
        return "upload"
    named = analysis.ref or (analysis.head.ref or analysis.head.default_branch if analysis.head else None)
    return visible(named) if named else "default branch"


def total_facts(totals: Mapping[str, int]) -> list[str]:
    """The totals that people ask for first, in words."""
    nouns = (("files", "file"), ("symbols", "symbol"), ("chunks", "chunk"), ("lines", "line"))
    return [count(totals[name], noun) for name, noun in nouns if totals.get(name)]


def language_shares(languages: Mapping[str, int]) -> list[tuple[str, float]]:
    """Languages by size with their share (0 to 1); the small ones, and what is called so, together as `Other`."""
    whole = sum(value for value in languages.values() if value > 0)
    if whole == 0:
        return []
    ranked = sorted(
        ((name, value) for name, value in languages.items() if value > 0 and language(name) != _OTHER),
        key=lambda row: (-row[1], row[0]),
    )
    has_other = sum(value for _, value in ranked) < whole
    shown = ranked if len(ranked) + has_other <= _SHOWN_SHARES else ranked[: _SHOWN_SHARES - 1]
    rest = whole - sum(value for _, value in shown)
    return [(language(name), value / whole) for name, value in shown] + ([(_OTHER, rest / whole)] if rest else [])


def languages_line(languages: Mapping[str, int]) -> str:
    """The three main languages, for a list."""
    return ", ".join(name for name, _ in language_shares(languages)[:3] if name != _OTHER)


def begun_at(analysis: Analysis) -> datetime:
    """When work on it began here: one that was made elsewhere is made ready from its import on."""
    return analysis.imported_at or analysis.requested_at


def milestones(analysis: AnalysisView) -> list[tuple[str, str]]:
    """How long it took until questions could be asked, until it was ready, until it was complete."""
    reached = (
        ("First answer possible", analysis.answerable_at),
        ("Ready", analysis.ready_at),
        ("Complete", analysis.refined_at),
    )
    return [(name, f"after {duration((at - begun_at(analysis)).total_seconds())}") for name, at in reached if at]


def answer_data(question: QuestionView, repository_url: str, zone: tzinfo) -> dict[str, object]:
    """What the answer component is given."""
    return {
        "id": question.question_id,
        "tree": read_markdown(question.answer or "", question.citations, repository_url),
        "mode": answer_mode(question),
        "notice": search_notice(question.degraded) or graph_notice(question.plan),
        "citations": [place_of(citation) for citation in question.citations],
        "facts": answer_facts(question),
        "passages": [passage_row(passage) for passage in question.passages],
        "told": [*turns.told_before(question, zone), *turns.told_plan(question)],
        "steps": turns.steps_shown(question),
        "markdown": turns.answer_markdown(question, repository_url),
    }


def answer_mode(question: QuestionView) -> dict[str, str]:
    """How the answer came about, plainly."""
    if question.refused:
        return {"text": "not found in this repository", "tone": "warn"}
    if question.mode == "extractive":
        return {"text": "extractive: without a model", "tone": "warn"}
    model = " ".join(part for part in (question.provider, question.model) if part and part != "none")
    steps = f" in {count(len(question.steps), 'step')}" if question.mode == "deep" else ""
    return {"text": f"generated by {visible(model)}{steps}" if model else question.mode or "generated", "tone": ""}


def search_notice(degraded: str | None) -> str:
    """What to know of a search that was by words only although there is a vector index; empty where it was whole."""
    why = _WORDS_ONLY.get(degraded or "", degraded)
    return f"Searched by words only: {why}. Ask again for a better answer." if why else ""


def graph_notice(plan: Sequence[PlanStep]) -> str:
    """That the graph was asked before it was made; empty where it was not."""
    absent = any(step.absent for step in plan)
    return (
        "The graph is not made yet, which knows this better: ask again when the analysis is complete." if absent else ""
    )


def answer_facts(question: QuestionView) -> list[str]:
    """Time, tokens, cost, commit, index, confidence and removed citations of an answer."""
    about = "about " if question.is_estimated else ""
    tokens = f"{about}{question.input_tokens:,} + {question.output_tokens:,} tokens"
    facts = (
        duration(question.response_time) if question.response_time is not None else "",
        tokens if question.input_tokens or question.output_tokens else "",
        f"{about}{dollars(question.cost_usd * 100)}" if question.cost_usd is not None else "",
        f"commit {short_commit(question.commit)}" if question.commit else "",
        f"{question.generation_kind} index" if question.generation_kind else "",
        f"confidence {question.confidence:.0%}" if question.confidence is not None else "",
        f"{count(question.removed_citations, 'unsupported citation')} removed" if question.removed_citations else "",
        f"{count(question.removed_quotes, 'unsupported quotation')} removed" if question.removed_quotes else "",
    )
    return [fact for fact in facts if fact]


def streams_of(analysis: AnalysisView, conversations: Sequence[ConversationSummary], zone: tzinfo) -> dict[str, str]:
    """What can be looked at beside an analysis, by stream: itself, its repository, what was talked about it."""
    talks = {
        f"conversation/{one.conversation_id}": f"Conversation of {moment(one.started_at, zone)}: {turns.head(one)}"
        for one in conversations
    }
    own = {f"analysis/{analysis.analysis_id}": "This analysis and its index"}
    return own | {f"repository/{analysis.repository_id}": "Its repository, with all its analyses"} | talks


def source_range(first: int, last: int, whole: bool) -> tuple[int, int]:
    """Which lines to fetch around cited ones: some context, or up to 2,000 lines."""
    return (max(1, first - 1_000), last + 1_000) if whole else (max(1, first - 8), last + 24)


def passage_at(passages: Sequence[Passage], place: tuple[str, int, int]) -> Passage | None:
    """The passage with all lines of a place, or else with the most of them; None where none has any."""
    path, first, last = place

    def shown(passage: Passage) -> int:
        return min(passage.last_line, last) - max(passage.first_line, first) + 1

    found = [each for each in passages if each.path == path and shown(each) > 0]
    return max(found, key=shown, default=None)


def place_title(path: str, first: int, last: int) -> str:
    """The heading of the source panel."""
    return visible(place(path, first, last))

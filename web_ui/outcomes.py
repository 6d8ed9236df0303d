"""What became of the files: parsed, searched as plain text, left out, failed, each with its reason. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.client.shapes import AnalysisRequest, AnalysisView, FileView
from runtime.reasons import may_be_read
from web_ui.words import count, reason, visible

MOST_PATTERNS = 50
_PLACES = 5  # of syntax errors in a list of files
_LONGEST_PATTERN = 200
_MAGIC = re.compile(r"[\\*?\[\]]")
_REFUSED = {
    "embedder_input_refused": "the embedding provider refused it",
    "embedder_bad_vector": "the embedding provider gave no direction for it",
}
_KINDS = {
    ("failed", ""): "failed",
    ("parsed", "syntax_errors"): "parsed as far as possible",
    ("lines", "empty"): "nothing to search",
    ("lines", ""): "searched as plain text",
}


@dataclass(frozen=True)
class Group:
    """The files of which one thing is said. `code` is the reason, `kind` what it means for them."""

    code: str
    kind: str
    files: int

    @property
    def label(self) -> str:
        """The reason in words."""
        return reason(self.code)


def groups(analysis: AnalysisView) -> list[Group]:
    """All that was not simply parsed: what failed first, then what was left out, then what was read in another way."""
    failed = (Group(code, "failed", n) for code, n in _lost(analysis).items() if "." not in code)
    skipped = (Group(code, "left out on purpose", n) for code, n in analysis.skipped.items())
    others = (Group(why, _kind(outcome, why), n) for (outcome, why), n in _read_otherwise(analysis))
    return [*_ranked(failed), *_ranked(skipped), *_ranked(others)]


def facts(analysis: AnalysisView) -> list[str]:
    """How many files were parsed, searched as plain text, left out, lost; how many an earlier analysis had already."""
    lines = sum(n for (outcome, _), n in _read_otherwise(analysis) if outcome == "lines")
    numbers = (
        (analysis.outcomes.get("parsed", 0), "parsed"),
        (lines, "read as plain text"),
        (sum(analysis.skipped.values()), "left out"),
        (sum(n for code, n in _lost(analysis).items() if "." not in code), "failed"),
    )
    wanted = len(analysis.include)
    asked = [f"{count(wanted, 'pattern')} read all the same"] if wanted else []
    reused = analysis.reused
    told = [f"reused {reused.percent} % ({reused.files:,} of {reused.of:,} files)"] if reused is not None else []
    return [*(f"{n:,} {word}" for n, word in numbers if n), *asked, *told]


def partial_sentence(analysis: AnalysisView) -> str:
    """What is missing of an analysis that succeeded in part; empty where nothing is."""
    failed = sum(n for code, n in analysis.failed.items() if "." not in code)
    stages = [code for code in analysis.failed if "." in code]
    of = f" of {files:,}" if (files := analysis.totals.get("files")) else ""
    are = "is" if failed == 1 and not of else "are"
    said = [f"{reason(code)}." for code in stages]
    if failed:
        what = f"{failed:,}{of} files" if of else count(failed, "file")
        said.insert(0, f"{what} {are} not in the index, because processing failed. The reasons are listed below.")
    return " ".join(said)


def login_sentence(analysis: AnalysisView) -> str:
    """That the token which is kept for its host is refused there; empty where none was."""
    if analysis.head is None or not analysis.head.login_refused:
        return ""
    return "The host refused the access token: this was read as anybody can. Replace the token, or take it away."


def unembedded_sentence(analysis: AnalysisView) -> str:
    """How many passages a provider gave no vector for, and why; empty where it gave one for each.

    Both stages embed the same passages, so only one of them counts: refinement once it is whole, for it then serves.
    """
    refused = Counter[str](_refused(analysis))
    number = refused.pop("not_embedded", 0)
    if not number:
        return ""
    by_code = ((name.partition(".")[2], n) for name, n in refused.most_common())
    why = "; ".join(f"{_REFUSED.get(code, code)}: {n:,}" for code, n in by_code)
    are = "has no vector and is" if number == 1 else "have no vector and are"
    told = f" ({why})" if why else ""
    return f"{count(number, 'passage')} {are} found by words alone{told}. To ask again, retry what failed."


def _refused(analysis: AnalysisView) -> dict[str, int]:
    counts = {stage.stage: stage.counts for stage in analysis.stages if stage.stage in {"embed", "refine"}}
    whole = any(stage.stage == "refine" and stage.state == "completed" for stage in analysis.stages)
    said = counts.get("refine" if whole or not counts.get("embed", {}).get("not_embedded") else "embed", {})
    return {name: n for name, n in said.items() if name.startswith("not_embedded")}


def file_reason(file: FileView, asked: str | None = None) -> str:
    """Why a file is in the list: what was asked for, or why it failed or was left out."""
    said = reason(asked or file.failed or file.skipped or file.reason or "")
    if asked == "syntax_errors" and file.errors:
        return f"{said} ({file.errors:,}{_where(file.error_lines)})"
    return f"{said}: {visible(file.rule)}" if file.rule and file.skipped else said


def _where(lines: list[str]) -> str:
    """The first lines with errors, after how many there are; nothing where they were not kept."""
    if not lines:
        return ""
    return f": line {', '.join(lines[:_PLACES])}" + (" …" if len(lines) > _PLACES else "")


def patterns_for(files: Iterable[FileView]) -> list[str]:
    """Patterns that name exactly those of `files` that may be read all the same, as many as one request may have."""
    found = (_pattern(file.path) for file in files if may_be_read(file.skipped or ""))
    return [pattern for pattern in found if len(pattern) <= _LONGEST_PATTERN and pattern.isprintable()][:MOST_PATTERNS]


def _pattern(path: str) -> str:
    escaped = _MAGIC.sub(r"\\\g<0>", path)
    return f"/{escaped[:-1]}\\ " if escaped.endswith(" ") else f"/{escaped}"


def again_with(analysis: AnalysisView, include: list[str]) -> AnalysisRequest:
    """The request for the same commit with all of `include` read all the same."""
    return AnalysisRequest(
        url=analysis.url,
        ref=analysis.ref,
        folder=analysis.folder or None,
        commit=analysis.commit,
        include=include,
    )


def damage(analysis: AnalysisView) -> list[str]:
    """What the log has and the pages have not, each as a sentence."""
    cut = ["The tree has more entries than are read of one repository."] if _is_cut(analysis) else []
    return [*cut, *(visible(line) for line in analysis.damaged)]


def _is_cut(analysis: AnalysisView) -> bool:
    return analysis.head is not None and analysis.head.tree_cut


def _lost(analysis: AnalysisView) -> dict[str, int]:
    """What failed; until the analysis says it as a whole, what the parsed shards say."""
    parsed = {code.partition(".")[2]: n for code, n in analysis.outcomes.items() if code.startswith("failed.")}
    return analysis.failed or parsed


def _read_otherwise(analysis: AnalysisView) -> list[tuple[tuple[str, str], int]]:
    named = ((code.partition("."), n) for code, n in analysis.outcomes.items())
    return [((outcome, why), n) for (outcome, dot, why), n in named if dot and outcome != "failed"]


def _kind(outcome: str, why: str) -> str:
    return _KINDS.get((outcome, why)) or _KINDS.get((outcome, "")) or outcome


def _ranked(found: Iterable[Group]) -> list[Group]:
    return sorted(found, key=lambda group: (-group.files, group.code))

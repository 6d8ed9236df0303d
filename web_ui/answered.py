"""Answers to the same question at two analyses, beside each other, as people read them. Pure."""

from runtime.client.shapes import QuestionCompared, QuestionView, SameQuestions
from web_ui.words import count, short_commit

Place = tuple[str, int, int]


def title(side: str, said: QuestionView) -> str:
    """Which of the two an answer is of."""
    commit = short_commit(said.commit)
    return f"{side}, commit {commit}" if commit else side


def conclusion(one: QuestionCompared) -> str:
    """One sentence: whether both say the same, and how what they cite differs."""
    before, after = _cited(one.before), _cited(one.after)
    if one.before.answer == one.after.answer and before == after:
        return "Both answers are the same, and cite the same lines."
    gone, new = len(before - after), len(after - before)
    if not gone and not new:
        return "They cite the same lines."
    return f"{count(new, 'cited place')} only here, {count(gone, 'cited place')} only in the other one."


def rest(page: SameQuestions) -> str:
    """What of all of it is not on the page; nothing where all is."""
    said = (
        f"{len(page.items):,} of {page.total:,} are shown; `repostream compare` and the API have all."
        if page.total > len(page.items)
        else "",
        f"Not looked through: {count(page.left_out, 'older conversation')}." if page.left_out else "",
    )
    return " ".join(each for each in said if each)


def _cited(said: QuestionView) -> set[Place]:
    return {(one.path, one.first_line, one.last_line) for one in said.citations}

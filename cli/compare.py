"""`repostream compare`: two analyses of one repository beside each other."""

import json
from collections.abc import Iterator, Sequence
from typing import Literal

from rich.text import Text

from cli.api import connect, refusal
from cli.exits import OK
from cli.paging import all_of
from cli.plain import one_line, visible
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import ComparisonView, DifferenceView, QuestionCompared, SpentView

_PAGE = 500
_LONGEST = 100  # signs of a value
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
What = Literal["files", "symbols", "dependencies", "chunks"]
Kind = Literal["added", "removed", "changed"]
_WHATS: tuple[What, ...] = ("files", "symbols", "dependencies", "chunks")
_KINDS: tuple[Kind, ...] = ("added", "removed", "changed")
_ANSWERS, _FEW = "answers", 20  # so many questions at a time: each has two answers


def run_compare(pair: tuple[str, str], what: str | None, kind: str | None, *, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError."""
    api, (analysis, against) = connect(), pair
    if what == _ANSWERS:
        return _answers(api, pair, kind, as_json=as_json)
    chosen, of_kind = _what(what), _kind(kind)
    if chosen is None:
        found = api.comparing_compared(analysis, against=against)
        _print(list(_told(found)), found.model_dump(mode="json"), as_json=as_json)
        return OK
    items = list(_all(api, pair, chosen, of_kind))
    _print([line(one) for one in items], [one.model_dump(mode="json") for one in items], as_json=as_json)
    return OK


def _answers(api: Client, pair: tuple[str, str], kind: str | None, *, as_json: bool) -> int:
    """Questions that both have an answer to, until there are no more."""
    if kind is not None:
        raise refusal("invalid_request", "Answers are of no kind: leave --kind out.")
    items: list[QuestionCompared] = []
    cursor, left_out = None, 0
    while True:
        page = api.comparing_answers(pair[0], against=pair[1], cursor=cursor, limit=_FEW)
        items, cursor, left_out = [*items, *page.items], page.next, page.left_out
        if cursor is None:
            break
    lines = [line for one in items for line in answers_lines(one)] or [Text("no question was asked at both", "dim")]
    older = [Text(f"not looked through: {left_out:,} older conversations", "dim")] if left_out else []
    _print([*lines, *older], [one.model_dump(mode="json") for one in items], as_json=as_json)
    return OK


def answers_lines(one: QuestionCompared) -> list[Text]:
    """A question, and below it both answers, each with the places that it cites."""
    lines = [Text(visible(one.query), "bold")]
    for title, said in (("before", one.before), ("after", one.after)):
        cited = ", ".join(f"{one_line(each.path)}:{each.first_line}-{each.last_line}" for each in said.citations)
        lines.append(Text(f"{title}: {said.commit or 'no commit'}, cites {visible(cited) or 'nothing'}", "dim"))
        lines += [Text(f"  {line}") for line in visible(said.answer or "").splitlines()]
    return lines


def _print(lines: Sequence[Text], document: object, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document))
        return
    console = Screen()
    for one in lines or [Text("nothing is different", style="dim")]:
        console.say(one)


def _what(said: str | None) -> What | None:
    if said is not None and said not in _WHATS:
        raise refusal("invalid_request", f"“{said}” is not compared: choose one of {', '.join((*_WHATS, _ANSWERS))}.")
    return next((what for what in _WHATS if what == said), None)


def _kind(said: str | None) -> Kind | None:
    if said is not None and said not in _KINDS:
        raise refusal("invalid_request", f"“{said}” is no kind of difference: choose one of {', '.join(_KINDS)}.")
    return next((kind for kind in _KINDS if kind == said), None)


def _all(api: Client, pair: tuple[str, str], what: What, kind: Kind | None) -> Iterator[DifferenceView]:
    return all_of(
        lambda cursor: api.comparing_differences(pair[0], what, against=pair[1], kind=kind, cursor=cursor, limit=_PAGE)
    )


def _told(found: ComparisonView) -> Iterator[Text]:
    for name in _WHATS:
        of = getattr(found, name)
        yield Text(f"{name:<14}+{of.added:,}  -{of.removed:,}  ~{of.changed:,}  ={of.same:,}")
    for title, side in (("before", found.before), ("after", found.after)):
        if side.lacks:
            yield Text(f"{title}: {visible(side.state)}, without a whole result of {', '.join(side.lacks)}", "yellow")
        ready = f", ready after {side.seconds:.1f} s" if side.seconds is not None else ""
        cost = f", about {side.cost:.4f} {side.currency}" if side.cost is not None else ""
        yield Text(f"{title:<14}{side.commit or 'no commit'}, {side.state}{ready}{cost}{_spent(side.spent)}")
    for stage in found.stages:
        before, after = (f"{value:.2f} s" if value is not None else "–" for value in (stage.before, stage.after))  # noqa: RUF001  # a dash
        yield Text(f"{stage.stage:<14}{before} → {after}", style="dim")


def _spent(took: SpentView | None) -> str:
    if took is None:
        return ""
    return f", embedded {took.tokens:,} tokens" + (f" for {took.cost_usd:.4f} USD" if took.cost_usd is not None else "")


def line(one: DifferenceView) -> Text:
    """One thing that is different."""
    sign, style = _SIGNS.get(one.kind, ("?", ""))
    before, after = one.before or {}, one.after or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    said = [f"{name} {_short(before.get(name))} → {_short(after.get(name))}" for name in names]
    facts = "" if one.kind != "changed" else ", ".join(said) or "content"
    return Text.assemble((f"{sign} {' '.join(part for part in one.name if part)}", style), "  ", (facts, "dim"))


def _short(value: object) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"

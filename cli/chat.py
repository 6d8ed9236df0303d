"""`repostream chat`: a conversation in the terminal, each answer while it is written, with what it cites."""

import shlex
import sys
from typing import get_args

from cli.api import connect
from cli.ask import Asked, Mode, find_repository, listen_to, print_answer
from cli.exits import FAILED, OK
from cli.screen import Screen
from runtime.client import ApiError, Client
from runtime.client.shapes import ConversationRequest, QuestionRequest, Scope

_MODE, _SCOPE = "/mode", "/scope"
_LIMITS = {"folder": "folder", "file": "path", "language": "language", "symbol": "symbol"}
_END = frozenset({"/quit", "/exit"})
_STOPPED = "Stopped. Nothing of the answer is kept."
_CAME_FIRST = "The answer had come by then:"


def run_chat(repository: str, *, conversation: str | None, model: str | None, mode: Mode = "answer") -> int:
    """Ask and answer until the person ends it; returns the exit code. Raises ApiError."""
    api, console = connect(), Screen()
    if conversation is None:
        about = ConversationRequest(repository_id=find_repository(api, repository))
        conversation = api.conversations_begin(about).conversation_id
    told = (
        f"Conversation {conversation}. Ctrl-D or /quit ends it, Ctrl-C stops an answer, /mode MODE changes the mode, "
        "/scope folder=src language=python limits what is searched."
    )
    console.say(told, style="dim")
    failed, scope = False, None
    while (text := _typed(console)) is not None:
        if text.startswith(_MODE):
            mode = _mode(console, text.removeprefix(_MODE).strip(), mode)
        elif text.startswith(_SCOPE):
            scope = _scope(console, text.removeprefix(_SCOPE).strip(), scope)
        elif text:
            question = QuestionRequest(query=text, model=model, mode=mode, scope=scope)
            failed = not _turn(api, console, conversation, question)
    return FAILED if failed else OK


def _mode(console: Screen, wanted: str, now: Mode) -> Mode:
    """The mode of the next questions: the wanted one, or where it is none, the one that there was."""
    chosen = next((mode for mode in get_args(Mode) if mode == wanted), None)
    said = f"The mode is {chosen or now}." + ("" if chosen else f" The modes are {', '.join(get_args(Mode))}.")
    console.say(said, style="dim")
    return chosen or now


def _scope(console: Screen, wanted: str, now: Scope | None) -> Scope | None:
    """What the next questions are limited to: all of it where nothing is named, as before where that is no limit."""
    try:
        given = dict(part.split("=", 1) for part in shlex.split(wanted))
        chosen = Scope(**{_LIMITS[name]: value for name, value in given.items()}) if given else None
        said = f"Only in {', '.join(given.values())}." if given else "All of the repository is searched."
    except (ValueError, KeyError):
        chosen, said = now, f"Name limits as {'=…, '.join(_LIMITS)}=…, or none for all of the repository."
    console.say(said, style="dim")
    return chosen


def _turn(api: Client, console: Screen, conversation: str, question: QuestionRequest) -> bool:
    """Ask one question and print its answer; whether it was answered. A refusal ends the turn, not the conversation."""
    try:
        begun = api.conversations_ask(conversation, question)
        try:
            asked = listen_to(api, begun, console)
        except KeyboardInterrupt:
            came = api.conversations_stop(begun.question_id).state == "answered"
            said = f"{_CAME_FIRST} repostream conversation show {conversation}" if came else _STOPPED
            console.say(said, style="yellow")
            return True
    except ApiError as error:
        said = f"{error.problem.code}: {error.problem.detail}"
        console.say(said, style="red")
        return False
    _print(console, asked)
    return not asked.failed


def _print(console: Screen, asked: Asked) -> None:
    print_answer(console, asked)
    if asked.view.standalone:
        said = f"searched for: {asked.view.standalone}"
        console.say(said, style="dim")


def _typed(console: Screen) -> str | None:
    """The next question; None at the end, empty for an empty line. Ctrl-C gives up what was typed."""
    console.say("\n> ", end="", style="bold")
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        return ""
    text = line.strip()
    return None if not line or text in _END else text

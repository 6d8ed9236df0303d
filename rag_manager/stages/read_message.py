"""Tell whether a question gives the text of a message: an error, a warning, a line of a log.

In:  the question as it was typed.
Out: the message alone, or None.
"""

import re

from rag_manager.stages.match_message import FEWEST, words_of

_LONGEST = 2_000  # characters of a question that are looked at
_QUOTED = re.compile(r"\"([^\"\n]{8,})\"|“([^”\n]{8,})”|«([^»\n]{8,})»|`([^`\n]{8,})`|(?<!\w)'([^\n]{8,}?)'(?!\w)")
_RAISED = re.compile(r"\b[A-Za-z][\w.]*(?:Error|Exception|Warning|Fault)\b(?:\s*\([^)]*\))?:\s*(\S[^\n]*)")
_SAID = re.compile(r"(?im)^\s*(?:error|fatal|panic|warning|exception)\b[^:\n]{0,20}:\s*(\S[^\n]*)")
_CALLED = re.compile(  # asked for: a description, too, says that something raises an error
    r"^\s*(?:why|what|where|when|who|which|how)\b[^\n]*?"
    r"\b(?:error|exception|warning|message|panic|says?|saying|prints?|logs?|raises?|throws?|fails? with)\b[:,]?\s+"
    r"(?:that\s+)?(\S[^\n?]*)",
    re.IGNORECASE,
)


def read_message(text: str) -> str | None:
    """Return the message that `text` quotes, shows behind its kind, or names as one; it has three words or more. Pure.

    What is quoted counts before what follows `ValueError:`, and that before what follows "the message …".
    """
    for pattern in (_QUOTED, _RAISED, _SAID, _CALLED):
        found = [str(next(filter(None, match.groups()))) for match in pattern.finditer(text[:_LONGEST])]
        long = [message for message in found if len(words_of(message)) >= FEWEST]
        if long:
            return max(long, key=len)
    return None

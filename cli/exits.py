"""What the commands' exit codes mean. Scripts rely on them; docs/operating.md lists them."""

import sys
from typing import NoReturn

from cli.plain import visible
from runtime.redaction import redact

OK = 0
FAILED = 1  # an analysis or an answer failed, or something was found to be wrong
USAGE = 2  # the command was called wrongly, or the API refused the input
UNREACHABLE = 3  # nothing could be started, or nothing answers
RUNNING = 4  # Repostream runs already on this home folder
DECLINED = 5  # somebody was asked whether they are sure, and was not
INTERRUPTED = 130


def leave(code: int, sentence: str) -> NoReturn:
    """Say one sentence on standard error and end."""
    print(visible(redact(sentence)), file=sys.stderr)
    raise SystemExit(code)

"""How a citation is written in an answer: `[path:first-last]`.

A path may have brackets where each is closed again, two deep (`app/[[...slug]]/page.tsx`), and a colon that no digit
follows. It has no backtick and no line break, so that such a file cannot be cited.
"""

import re
from typing import Final

_INSIDE = r"[^\[\]\n:`]|:(?!L?\d)"
_DEEPER = rf"\[(?:{_INSIDE}){{0,200}}\]"
PATH: Final = rf"(?:{_INSIDE}|\[(?:{_INSIDE}|{_DEEPER}){{0,200}}\]){{1,1024}}"
FORM: Final = rf"\[(?P<path>{PATH}):(?P<first>\d{{1,9}})-(?P<last>\d{{1,9}})\](?!\()"
CITATION: Final = re.compile(FORM)

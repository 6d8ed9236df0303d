"""Commands for people."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # said in words, before anything newer is imported
    sys.exit("Repostream needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

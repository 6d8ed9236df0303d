"""Where a host shows lines of a file at a commit. Pure.

Only of hosts whose pages are known: a guess would be a link into nothing. What is in a path is escaped, so that no name
of a file can lead anywhere else.
"""

from urllib.parse import quote, urlsplit

# Between a repository's address and a path: with the commit; and the fragment, with the first and the last line.
_PAGES = {
    "github.com": ("/blob/{}/", "#L{}-L{}"),
    "gitlab.com": ("/-/blob/{}/", "#L{}-{}"),
    "bitbucket.org": ("/src/{}/", "#lines-{}:{}"),
    "codeberg.org": ("/src/commit/{}/", "#L{}-L{}"),
}


def line_link(repository_url: str, commit: str | None, place: tuple[str, int, int]) -> str | None:
    """The address of lines (path, first, last) at the repository's host; None where that is not known."""
    try:
        host = urlsplit(repository_url).hostname
    except ValueError:
        return None
    page = _PAGES.get(host or "")
    if page is None or not commit or not commit.isalnum() or not repository_url.startswith("https://"):
        return None
    path, first, last = place
    if ".." in path.split("/"):
        return None
    above, lines = page
    return f"{repository_url}{above.format(commit)}{quote(path, safe='/')}{lines.format(first, last)}"

"""What a browser says of itself, in words. Pure."""

from collections.abc import Mapping

# In the order in which they must be looked for: most browsers also name the others.
_BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}


def browser(agent: str) -> str:
    """Which browser on which system, as far as it says so of itself."""
    return f"{_first(agent, _BROWSERS, 'A browser')} on {_first(agent, _SYSTEMS, 'Linux' if 'Linux' in agent else '…')}"


def _first(agent: str, words: Mapping[str, str], instead: str) -> str:
    return next((name for word, name in words.items() if word in agent), instead)

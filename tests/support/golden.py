"""What a golden sample of a language is: a small file, and exactly what it says."""

# (kind, qualified name, first line, last line, docstring)
Symbol = tuple[str, str, int, int, str]
# (kind, source, target, line)
Edge = tuple[str, str | None, str, int]
Golden = tuple[str, list[Symbol], list[Edge]]

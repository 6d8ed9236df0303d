"""Which dependency a package of Java, Kotlin or Scala comes from, by Maven's coordinates. Pure.

Nothing says it for sure: a package mostly begins with the group of who publishes it.
"""

from collections import defaultdict
from collections.abc import Iterable

# Packages of libraries whose group is another.
_KNOWN = {
    "com.google.common.truth": "com.google.truth:truth",
    "com.google.common.jimfs": "com.google.jimfs:jimfs",
    "com.google.common": "com.google.guava:guava",
    "org.junit": "junit:junit",
    "junit.framework": "junit:junit",
    "org.apache.commons.lang": "commons-lang:commons-lang",
    "org.apache.commons.io": "commons-io:commons-io",
    "org.apache.commons.codec": "commons-codec:commons-codec",
    "org.apache.commons.logging": "commons-logging:commons-logging",
    "org.apache.http": "org.apache.httpcomponents:httpclient",
    "org.yaml.snakeyaml": "org.yaml:snakeyaml",
}
_SHARED = frozenset(("com.google", "com.github", "org.apache", "org.apache.maven", "io.github", "com.android"))


class JvmDependencies:
    """`coordinates` are `group:artifact`, in lower case."""

    def __init__(self, coordinates: Iterable[str]) -> None:
        self._known = frozenset(coordinates)
        self._by_group: dict[str, list[str]] = defaultdict(list)
        self._by_artifact: dict[str, list[str]] = defaultdict(list)
        for one in sorted(self._known):
            group, _, artifact = one.partition(":")
            if artifact:
                self._by_artifact[artifact.replace("-", ".")].append(one)
                for written in {group, group.replace("-", "")}:  # `org.junit-pioneer` has `org.junitpioneer`
                    self._by_group[written].append(one)
                if (parent := group.rpartition(".")[0]).count(".") >= 1 and parent not in _SHARED:
                    self._by_group[parent].append(one)

    def of(self, module: str) -> str | None:
        """The coordinates that a package or class most likely comes from; None where no group or artifact fits.

        `kotlinx.datetime` is of `kotlinx-datetime`, whatever its group.
        """
        parts = module.lower().split(".")
        for depth in range(len(parts), 1, -1):
            package = ".".join(parts[:depth])
            if (known := _KNOWN.get(package)) in self._known:
                return known
            if fitting := self._by_group.get(package):
                return max(fitting, key=lambda one: _shared(one, parts))
        for depth in range(len(parts) - 1, 0, -1):
            if len(fitting := self._by_artifact.get(".".join(parts[:depth]), [])) == 1:
                return fitting[0]
        return None


def _shared(coordinates: str, parts: list[str]) -> tuple[int, int]:
    """How many words of the artifact stand in the package; the shorter artifact where several have as many."""
    words = coordinates.partition(":")[2].replace("_", "-").split("-")
    return sum(word in parts for word in words), -len(words)

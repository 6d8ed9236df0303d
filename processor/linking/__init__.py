"""Which file an import means, and which definition a call: over a whole repository, from the rows of its files."""

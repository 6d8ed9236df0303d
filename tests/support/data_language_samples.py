"""One small file of each language of data, documents, tables and images, and exactly what it says."""

from tests.support.golden import Golden

GOLDEN: dict[str, Golden] = {
    "app.sql": (
        """\
-- The dogs.
CREATE TABLE IF NOT EXISTS zoo.dogs (
  id serial PRIMARY KEY,
  owner_id int REFERENCES people (id)
);
CREATE UNIQUE INDEX dogs_name ON zoo.dogs (name);
CREATE OR REPLACE VIEW loud AS SELECT bark(d.id) FROM zoo.dogs d JOIN people p ON p.id = d.owner_id;
CREATE MATERIALIZED VIEW mv AS SELECT 1;
/* Says it. */
CREATE OR REPLACE FUNCTION bark(times int) RETURNS text LANGUAGE sql AS $$ SELECT repeat('w', times) $$;
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TRIGGER touched BEFORE INSERT ON dogs FOR EACH ROW EXECUTE FUNCTION touch();
CREATE SCHEMA zoo;
CREATE SEQUENCE ids;
CREATE PROCEDURE clean() LANGUAGE plpgsql AS $$ BEGIN SELECT 1; END $$;
ALTER TABLE dogs ADD COLUMN age int;
INSERT INTO dogs (id) VALUES (1);
""",
        [
            ("table", "dogs", 2, 5, "The dogs."),
            ("column", "dogs.id", 3, 3, ""),
            ("column", "dogs.owner_id", 4, 4, ""),
            ("index", "dogs_name", 6, 6, ""),
            ("view", "loud", 7, 7, ""),
            ("view", "mv", 8, 8, ""),
            ("function", "bark", 10, 10, "Says it."),
            ("type", "size", 11, 11, ""),
            ("trigger", "touched", 12, 12, ""),
            ("namespace", "zoo", 13, 13, ""),
            ("sequence", "ids", 14, 14, ""),
            ("function", "clean", 15, 15, ""),
            ("column", "dogs.age", 16, 16, ""),
        ],
        [
            ("call", "dogs", "people", 4),
            ("call", "dogs_name", "zoo.dogs", 6),
            ("call", "loud", "bark", 7),
            ("call", "loud", "zoo.dogs", 7),
            ("call", "loud", "people", 7),
            ("call", "bark", "repeat", 10),
            ("call", "touched", "touch", 12),
            ("call", None, "dogs", 16),
        ],
    ),
    "app.html": (
        """\
<!DOCTYPE html>
<!-- Top. -->
<html><head><link rel="stylesheet" href="a.css"><script src="js/a.js"></script><title>T</title></head>
<body><div id="nav" class="a b"><h1>Zoo</h1><a href="#x">x</a><img src='z.png'/></div>
<section id=main><p>p<script>let x = 1;</script></section></body></html>
""",
        [
            ("element", "nav", 4, 4, ""),
            ("element", "main", 5, 5, ""),
        ],
        [
            ("import", None, "a.css", 3),
            ("import", None, "js/a.js", 3),
        ],
    ),
    "app.css": (
        """\
@import url("base.css");
@import "b.css";
:root {
  --accent: red;
}
/* Buttons. */
.btn-primary,
a.btn:hover > #nav .mark {
  color: var(--accent);
}
@media (max-width: 3px) {
  .small { color: red }
}
@keyframes spin { from { top: 0 } to { top: 1px } }
h1 { color: red }
""",
        [
            ("variable", "--accent", 4, 4, ""),
            ("rule", "btn-primary", 7, 10, "Buttons."),
            ("rule", "mark", 7, 10, "Buttons."),
            ("rule", "small", 12, 12, ""),
            ("rule", "spin", 14, 14, ""),
        ],
        [
            ("import", None, "base.css", 1),
            ("import", None, "b.css", 2),
        ],
    ),
    "app.yaml": (
        """\
# What runs.
name: CI
"on": [push]
jobs:
  build:
    steps:
      - uses: a/b@v1
  test: { a: 1 }
list:
  - a: 1
---
kind: Service
""",
        [
            ("key", "name", 2, 2, "What runs."),
            ("key", "on", 3, 3, ""),
            ("key", "jobs", 4, 8, ""),
            ("key", "jobs.build", 5, 7, ""),
            ("key", "jobs.test", 8, 8, ""),
            ("key", "list", 9, 10, ""),
            ("key", "kind", 12, 12, ""),
        ],
        [],
    ),
    "app.json": (
        """\
{
  "name": "zoo",
  "scripts": {
    "build": "x",
    "deep": {"a": [1]}
  },
  "files": [{"a": 1}]
}
""",
        [
            ("key", "name", 2, 2, ""),
            ("key", "scripts", 3, 6, ""),
            ("key", "scripts.deep", 5, 5, ""),
            ("key", "files", 7, 7, ""),
        ],
        [],
    ),
    "app.toml": (
        """\
# What it is.
title = "x"
[project]
name = "zoo"
a.b = 1
[tool.ruff.lint]
x = {y = 1}
[[tool.x]]
"quoted key" = 1
""",
        [
            ("key", "title", 2, 2, "What it is."),
            ("table", "project", 3, 5, ""),
            ("key", "project.name", 4, 4, ""),
            ("key", "project.a.b", 5, 5, ""),
            ("table", "tool.ruff.lint", 6, 7, ""),
            ("key", "tool.ruff.lint.x", 7, 7, ""),
            ("table", "tool.x", 8, 9, ""),
        ],
        [],
    ),
    "Dockerfile": (
        """\
# syntax=docker/dockerfile:1
ARG V=1
# Builds it.
FROM golang:1.2 AS build
WORKDIR /x
COPY --from=other a b
RUN go build && \\
    ls
FROM --platform=linux/amd64 alpine
ENV A=b C=d
COPY --from=build /x /y
LABEL a=b
ENTRYPOINT ["x"]
RUN <<EOF
ls
EOF
""",
        [
            ("variable", "V", 2, 2, "syntax=docker/dockerfile:1"),
            ("stage", "build", 4, 8, "Builds it."),
            ("stage", "alpine", 9, 16, ""),
            ("variable", "alpine.A", 10, 10, ""),
            ("variable", "alpine.C", 10, 10, ""),
        ],
        [
            ("import", "build", "golang:1.2", 4),
            ("call", "build", "other", 6),
            ("import", "alpine", "alpine", 9),
            ("call", "alpine", "build", 11),
        ],
    ),
    "README.md": (
        """\
Intro

# Zoo `v1`
About.

## Install
Run it.
```sh
# no heading
```
### From source
Make it.

## Use
So.

Other
=====
""",
        [
            ("heading", "Zoo `v1`", 3, 15, ""),
            ("heading", "Zoo `v1` > Install", 6, 12, ""),
            ("heading", "Zoo `v1` > Install > From source", 11, 12, ""),
            ("heading", "Zoo `v1` > Use", 14, 15, ""),
            ("heading", "Other", 17, 18, ""),
        ],
        [],
    ),
    "index.rst": (
        """\
===
Zoo
===
About.

Install
-------
Run it.

Use
---
""",
        [
            ("heading", "Zoo", 1, 11, ""),
            ("heading", "Zoo > Install", 6, 8, ""),
            ("heading", "Zoo > Use", 10, 11, ""),
        ],
        [],
    ),
    "zoo.ipynb": (
        """\
{
 "cells": [
  {
   "cell_type": "markdown",
   "metadata": {},
   "source": [
    "# Zoo\\n",
    "\\n",
    "All about *dogs*."
   ]
  },
  {
   "cell_type": "code",
   "metadata": {},
   "source": [
    "%matplotlib inline\\n",
    "import numpy as np\\n",
    "\\n",
    "LIMIT = 10"
   ],
   "execution_count": 1,
   "outputs": []
  },
  {
   "cell_type": "markdown",
   "metadata": {},
   "source": [
    "## Bark\\n",
    "How it's said \\u2014 \\"woof\\"."
   ]
  },
  {
   "cell_type": "code",
   "metadata": {},
   "source": [
    "def bark(times):\\n",
    "    \\"\\"\\"Says it.\\"\\"\\"\\n",
    "    !ls\\n",
    "    return np.repeat(\\"w\\\\n\\", times)"
   ],
   "execution_count": 1,
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "noise\\n",
      "noise\\n",
      "noise\\n"
     ]
    }
   ]
  },
  {
   "cell_type": "code",
   "metadata": {},
   "source": [
    "%%bash\\n",
    "echo hi"
   ],
   "execution_count": 1,
   "outputs": []
  },
  {
   "cell_type": "raw",
   "metadata": {},
   "source": [
    "not read"
   ]
  },
  {
   "cell_type": "code",
   "metadata": {},
   "source": [],
   "execution_count": 1,
   "outputs": []
  }
 ],
 "metadata": {
  "kernelspec": {
   "display_name": "Python 3",
   "language": "python",
   "name": "python3"
  },
  "language_info": {
   "name": "python"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
""",
        [
            ("heading", "Zoo", 7, 59, ""),
            ("variable", "LIMIT", 19, 19, ""),
            ("heading", "Zoo > Bark", 28, 59, ""),
            ("function", "bark", 36, 39, "Says it."),
        ],
        [
            ("import", None, "numpy", 17),
            ("call", "bark", "np.repeat", 39),
            ("use", "bark", "np", 39),
        ],
    ),
}

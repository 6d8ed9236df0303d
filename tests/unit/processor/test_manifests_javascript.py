# ruff: noqa: E501  # manifests are quoted as they are written
"""What JavaScript's manifests and lock files say, with the line they say it on."""

from processor.manifests.model import EntryPoint
from processor.manifests.registry import read_manifest
from tests.support.manifests import needs, read


def test_package_json() -> None:
    manifest = read_manifest(
        "package.json",
        """\
{
  "name": "@scope/app",
  "description": "An app",
  "license": "ISC",
  "main": "dist/index.js",
  "bin": {"app": "bin/app.js"},
  "scripts": {"test": "vitest run", "react": "x"},
  "dependencies": {
    "react": "^19.0.0"
  },
  "devDependencies": {"vitest": "~2.0", "@types/node": "*"},
  "peerDependencies": {"react": ">=18", "vue": ">=3"},
  "peerDependenciesMeta": {"vue": {"optional": true}},
  "optionalDependencies": {"fsevents": "2"},
  "overrides": {"minimist": "1.2.8", "deep": {"er": "1"}}
}
""",
    )

    assert needs(manifest) == [
        ("react", "^19.0.0", "runtime", 9),
        ("vitest", "~2.0", "dev", 11),
        ("@types/node", "*", "dev", 11),
        ("react", ">=18", "peer", 12),
        ("vue", ">=3", "optional:peer", 12),
        ("fsevents", "2", "optional", 14),
        ("minimist", "1.2.8", "constraint", 15),
        ("er", "1", "constraint:deep", 15),
    ]
    assert manifest.entry_points[:2] == (
        EntryPoint("app", "bin/app.js"),
        EntryPoint("@scope/app", "dist/index.js", "module"),
    )
    assert EntryPoint("test", "vitest run", "script") in manifest.entry_points


def test_npm_lock_tells_direct_from_transitive_also_in_workspaces() -> None:
    lock = """\
{"lockfileVersion": 3, "packages": {
  "": {"dependencies": {"react": "^19"}, "workspaces": ["a"]},
  "a": {"name": "a", "devDependencies": {"vitest": "1"}},
  "node_modules/a": {"link": true, "resolved": "a"},
  "node_modules/react": {"version": "19.1.0"},
  "node_modules/vitest": {"version": "1.6.0", "dev": true},
  "node_modules/vitest/node_modules/react": {"version": "18.0.0", "dev": true},
  "node_modules/chai": {"version": "5.0.0", "dev": true}
}}
"""
    assert read("package-lock.json", lock) == [
        ("react", "19.1.0", "", 5),
        ("vitest", "1.6.0", ":dev", 6),
        ("react", "18.0.0", "transitive:dev", 7),
        ("chai", "5.0.0", "transitive:dev", 8),
    ]


def test_the_first_form_of_the_npm_lock() -> None:
    lock = '{"dependencies": {\n"a": {"version": "1.0", "dependencies": {\n"b": {"version": "2.0"}}}}}'

    assert read("npm-shrinkwrap.json", lock) == [("a", "1.0", "", 2), ("b", "2.0", "transitive", 3)]


def test_yarn_lock_of_both_forms() -> None:
    classic = '# v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1":\n  version "7.24.0"\n  resolved "x"\n\nms@2.1.2:\n  version "2.1.2"\n'
    berry = '__metadata:\n  version: 8\n\n"ms@npm:^2.1.1":\n  version: 2.1.3\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n'

    assert read("yarn.lock", classic) == [("@babel/core", "7.24.0", "", 3), ("ms", "2.1.2", "", 7)]
    assert read("yarn.lock", berry) == [("ms", "2.1.3", "", 4)]


def test_pnpm_lock_of_old_and_new_form_and_its_catalogs() -> None:
    new = """\
lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      react:
        specifier: ^19.0.0
        version: 19.1.0(scheduler@0.23.0)
packages:
  react@19.1.0:
    resolution: {integrity: x}
  '@scope/b@1.0.0':
    resolution: {integrity: x}
"""
    old = "dependencies:\n  ms: 2.1.3\npackages:\n  /ms/2.1.3:\n    dev: false\n  /debug@4.3.4(ms@2.1.3):\n    dev: true\n"
    workspace = "packages:\n  - a/*\ncatalog:\n  zod: ^3.2\ncatalogs:\n  next:\n    react: ^19\n"

    assert read("pnpm-lock.yaml", new) == [("react", "19.1.0", "", 9), ("@scope/b", "1.0.0", "transitive", 11)]
    assert read("pnpm-lock.yaml", old) == [("ms", "2.1.3", "", 4), ("debug", "4.3.4", "transitive:dev", 6)]
    assert read("pnpm-workspace.yaml", workspace) == [
        ("zod", "^3.2", "managed", 4),
        ("react", "^19", "managed:next", 7),
    ]


def test_bun_lock_and_deno() -> None:
    bun = """\
{
  "workspaces": {"": {"dependencies": {"hono": "^4"}}},
  "packages": {
    "hono": ["hono@4.6.0", "", {}],
    "mine": ["mine@workspace:packages/mine"],
    "x/y": ["y@1.0.0", ""],
  }
}
"""
    assert read("bun.lock", bun) == [("hono", "4.6.0", "", 4), ("y", "1.0.0", "transitive", 6)]
    assert read(
        "deno.json", '{"imports": {\n"@std/fs": "jsr:@std/fs@^1.0",\n"chalk": "npm:chalk@5", "x": "./x.ts"}}'
    ) == [
        ("@std/fs", "^1.0", "runtime:jsr", 2),
        ("chalk", "5", "runtime:npm", 3),
    ]

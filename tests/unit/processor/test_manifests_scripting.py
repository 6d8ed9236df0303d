# ruff: noqa: E501  # manifests are quoted as they are written
"""What the manifests of Ruby, PHP, Elixir, Swift and Dart say, with the line they say it on."""

from processor.manifests.model import EntryPoint
from processor.manifests.registry import read_manifest
from tests.support.manifests import needs, read


def test_gemfile_with_groups_conditions_and_comments() -> None:
    gemfile = """\
source 'https://gems.example'
gem 'rails', '~> 7.1', '>= 7.1.2' # gem 'not', '1'
group :test, :ci do
  gem 'rspec' if RUBY_VERSION >= '3.0'
  if ENV['X']
    gem 'vcr'
  end
end
gem "puma"
gem 'rubocop', group: [:development], require: false
gem 'mine', git: 'https://example.org/mine.git'
group(:development) { gem 'pry' }
group :test do
  platforms(:jruby) { gem 'jrspec' }
end
gem 'last'
"""
    assert read("Gemfile", gemfile) == [
        ("rails", "~> 7.1, >= 7.1.2", "runtime", 2),
        ("rspec", "", "dev:test+ci", 4),
        ("vcr", "", "dev:test+ci", 6),
        ("puma", "", "runtime", 9),
        ("rubocop", "", "dev:development", 10),
        ("mine", "https://example.org/mine.git", "runtime", 11),
        ("pry", "", "dev:development", 12),
        ("jrspec", "", "test:test", 14),
        ("last", "", "runtime", 16),
    ]


def test_gemspec_and_the_lock_file_of_bundler() -> None:
    manifest = read_manifest(
        "x.gemspec",
        "Gem::Specification.new do |s|\n  s.name = 'x'\n  s.summary = \"Short\"\n  s.license = 'MIT'\n  s.add_dependency 'rack', '>= 2', '< 4'\n  s.add_development_dependency('rake')\nend\n",
    )
    lock = "GEM\n  remote: https://gems.example/\n  specs:\n    rack (3.1.0)\n      zeitwerk (>= 1)\n    zeitwerk (2.6)\n\nDEPENDENCIES\n  rack (>= 2)\n\nBUNDLED WITH\n   2.5\n"

    assert (manifest.name, manifest.description, manifest.licence) == ("x", "Short", "MIT")
    assert needs(manifest) == [("rack", ">= 2, < 4", "runtime", 5), ("rake", "", "dev", 6)]
    assert read("Gemfile.lock", lock) == [("rack", ">= 2", "", 4), ("zeitwerk", "2.6", "transitive", 6)]


def test_the_gemfile_of_a_gem_lists_what_it_is_developed_with() -> None:
    gemfile = (
        "gemspec\ngem 'rake'\ngem 'rack', rack_version\ngroup :test do\n  gem 'vcr'\nend\ngem 'x', group: :default\n"
    )

    assert read("Gemfile", gemfile) == [
        ("rake", "", "dev", 2),
        ("rack", "", "dev", 3),
        ("vcr", "", "test:test", 5),
        ("x", "", "runtime:default", 7),
    ]


def test_a_gemspec_is_named_by_its_first_argument_and_what_is_put_together_is_not_told() -> None:
    named = "Gem::Specification.new 'sinatra', version do |s|\n  s.summary = 'Classy'\nend\n"
    made = "Gem::Specification.new do |s|\n  s.name = 'a'\n  s.summary = \"#{s.name}.\"\n  s.description = 'B'\nend\n"

    assert (read_manifest("s.gemspec", named).name, read_manifest("s.gemspec", named).description) == (
        "sinatra",
        "Classy",
    )
    assert (read_manifest("a.gemspec", made).name, read_manifest("a.gemspec", made).description) == ("a", "B")


def test_gemspec_as_rubygems_writes_it() -> None:
    manifest = read_manifest(
        "x.gemspec",
        """\
Gem::Specification.new do |s|
  s.name = "x".freeze
  s.summary = %q{Short}
  s.add_runtime_dependency(%q<rack>.freeze, ["~> 1".freeze, ">= 1.2"])
  s.add_runtime_dependency(%q<json>.freeze, [">= 0"])
  s.add_development_dependency(%q(rake).freeze, ["~> 13.0"])
  s.add_dependency(%q[puma])
end
""",
    )

    assert (manifest.name, manifest.description) == ("x", "Short")
    assert needs(manifest) == [
        ("rack", "~> 1, >= 1.2", "runtime", 4),
        ("json", ">= 0", "runtime", 5),
        ("rake", "~> 13.0", "dev", 6),
        ("puma", "", "runtime", 7),
    ]


def test_composer_and_its_lock_file() -> None:
    manifest = read_manifest(
        "composer.json",
        '{"name": "a/b", "license": ["MIT", "GPL-2.0"], "bin": ["bin/b"], "require": {"php": ">=8.1",\n "psr/log": "^3"},\n"require-dev": {"phpunit/phpunit": "^10"}, "suggest": {"ext-x": "y", "c/d": "for speed"}}',
    )

    assert needs(manifest) == [
        ("psr/log", "^3", "runtime", 2),
        ("phpunit/phpunit", "^10", "dev", 3),
        ("c/d", "", "optional", 3),
    ]
    assert (manifest.licence, manifest.entry_points) == ("MIT OR GPL-2.0", (EntryPoint("b", "bin/b"),))
    assert read(
        "composer.lock",
        '{"packages": [\n{"name": "psr/log", "version": "3.0.2"}],\n"packages-dev": [{"name": "x/y", "version": "1"}]}',
    ) == [("psr/log", "3.0.2", "", 2), ("x/y", "1", ":dev", 3)]


def test_mix_and_its_lock_file() -> None:
    mix = """\
defmodule Shop.MixProject do
  use Mix.Project
  def project do
    [app: :shop, version: "0.1.0", description: "Sells", deps: deps()]
  end
  defp deps do
    [
      {:phoenix, "~> 1.7"},
      {:ecto, ">= 3.0.0", optional: true},
      {:credo, "~> 1.0", only: [:dev, :test], runtime: false}, # {:no, "1"}
      {:mox, "~> 1.0", only: :test},
      {:own, path: "../own"},
      {:later, only: :prod, git: "https://example.org/later.git"}
    ]
  end
end
"""
    manifest = read_manifest("mix.exs", mix)

    assert (manifest.name, manifest.description) == ("shop", "Sells")
    assert needs(manifest) == [
        ("phoenix", "~> 1.7", "runtime", 8),
        ("ecto", ">= 3.0.0", "optional", 9),
        ("credo", "~> 1.0", "dev:dev+test", 10),
        ("mox", "~> 1.0", "test:test", 11),
        ("own", "../own", "runtime", 12),
        ("later", "https://example.org/later.git", "runtime:prod", 13),
    ]
    assert read("mix.lock", '%{\n  "jason": {:hex, :jason, "1.4.1", "hash", [:mix], [], "hexpm", "x"},\n}\n') == [
        ("jason", "1.4.1", "", 2)
    ]


def test_package_swift_and_what_it_resolved_to() -> None:
    package = """\
// swift-tools-version:5.9
import PackageDescription
let package = Package(
  name: "Site",
  products: [.executable(name: "Run", targets: ["Run"])],
  dependencies: [
    .package(url: "https://example.org/vapor/Vapor.git", from: "4.0.0"),
    .package(url: "https://example.org/x/nio", .upToNextMinor(from: "2.1.0")),
    .package(url: "https://example.org/x/range.git", "1.0.0"..<"3.0.0"),
    .package(url: "https://example.org/x/main.git", branch: "main"), // .package(url: "no", from: "1")
    .package(path: "../Local"),
  ],
  targets: [.executableTarget(name: "Run", dependencies: [.product(name: "Vapor", package: "vapor")])]
)
"""
    manifest = read_manifest("Package.swift", package)

    assert manifest.name == "Site"
    assert [(one.name, one.constraint, one.line) for one in manifest.dependencies] == [
        ("vapor", ">=4.0.0", 7),
        ("nio", "upToNextMinor 2.1.0", 8),
        ("range", "1.0.0..<3.0.0", 9),
        ("main", "main", 10),
        ("local", "", 11),
    ]
    assert manifest.entry_points == (EntryPoint("Run", ""),)
    assert read(
        "Package.resolved",
        '{"pins": [\n{"identity": "vapor", "location": "x", "state": {"version": "4.9"}}], "version": 2}',
    ) == [("vapor", "4.9", "", 2)]
    assert read(
        "Package.resolved",
        '{"object": {"pins": [{"package": "Vapor",\n"repositoryURL": "https://x/vapor.git", "state": {"branch": null, "version": "4.1"}}]}}',
    ) == [("vapor", "4.1", "", 1)]


def test_pubspec_and_its_lock_file() -> None:
    pubspec = """\
name: shop
description: >-
  Sells
  things.
dependencies:
  flutter:
    sdk: flutter
  http: ^1.0.0
  mine:
    git:
      url: https://example.org/mine.git
dev_dependencies:
  test: any
executables:
  shop:
  other: main
"""
    manifest = read_manifest("pubspec.yaml", pubspec)

    assert (manifest.name, manifest.description) == ("shop", "Sells things.")
    assert needs(manifest) == [
        ("flutter", "sdk: flutter", "runtime", 6),
        ("http", "^1.0.0", "runtime", 8),
        ("mine", "https://example.org/mine.git", "runtime", 9),
        ("test", "any", "dev", 13),
    ]
    assert manifest.entry_points == (EntryPoint("shop", "bin/shop.dart"), EntryPoint("other", "bin/main.dart"))
    lock = 'packages:\n  http:\n    dependency: "direct main"\n    version: "1.2.0"\n  async:\n    dependency: transitive\n    version: "2.11.0"\n'
    assert read("pubspec.lock", lock) == [("http", "1.2.0", "", 2), ("async", "2.11.0", "transitive", 5)]

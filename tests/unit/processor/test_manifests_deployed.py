# ruff: noqa: E501  # manifests are quoted as they are written
"""What Dockerfiles, compose files, workflows, charts and Terraform say, with the line they say it on."""

from processor.manifests.model import EntryPoint
from processor.manifests.registry import format_of, read_manifest
from tests.support.manifests import needs, read


def test_dockerfile_with_stages_arguments_and_copies() -> None:
    manifest = read_manifest(
        "Dockerfile",
        """\
# syntax=docker/dockerfile:1
ARG TAG=3.12
FROM --platform=$BUILDPLATFORM node:20 AS assets
RUN npm ci
FROM registry.example.org:5000/base/python:${TAG}-slim@sha256:00 \\
  AS final
COPY --from=assets /x /x
COPY --from=ghcr.io/astral-sh/uv:0.4 /uv /bin/
FROM final
CMD ["python", "-m", "app"]
""",
    )

    assert needs(manifest) == [
        ("ghcr.io/astral-sh/uv", "0.4", "build:copy", 8),
        ("node", "20", "build:assets", 3),
        ("registry.example.org:5000/base/python", "3.12-slim@sha256:00", "runtime:final", 5),
    ]
    assert manifest.entry_points == (EntryPoint("CMD", '["python", "-m", "app"]', "container"),)
    assert read("api.Dockerfile", "FROM scratch\nFROM alpine\n") == [("alpine", "", "runtime", 2)]


def test_compose_file_with_images_variables_and_anchors() -> None:
    compose = """\
x-common: &common
  image: redis:${REDIS:-7}
services:
  cache:
    <<: *common
  web:
    build: .
    command: [python, -m, app]
  db:
    image: "postgres:16"
"""
    manifest = read_manifest("docker-compose.prod.yml", compose)

    assert needs(manifest) == [("redis", "7", "runtime:cache", 2), ("postgres", "16", "runtime:db", 10)]
    assert EntryPoint("web", "python -m app", "service") in manifest.entry_points


def test_workflow_and_composite_action() -> None:
    workflow = """\
name: ci
on: push
jobs:
  test:
    container: python:3.12
    services:
      db:
        image: postgres:16
    steps:
      - uses: actions/checkout@v4
      - uses: ./local
      - uses: docker://alpine:3.19
      - run: 'echo uses: not/this@v1'
  release:
    uses: org/shared/.github/workflows/release.yml@main
"""
    assert read(".github/workflows/ci.yml", workflow) == [
        ("actions/checkout", "v4", "build:test", 10),
        ("alpine", "3.19", "build:test", 12),
        ("python", "3.12", "build:test", 5),
        ("postgres", "16", "build:test", 8),
        ("org/shared/.github/workflows/release.yml", "main", "build:release", 15),
    ]
    assert read("action.yml", "name: Mine\nruns:\n  using: composite\n  steps:\n    - uses: actions/cache@v4\n") == [
        ("actions/cache", "v4", "build", 5)
    ]


def test_chart_and_its_lock_file() -> None:
    chart = "apiVersion: v2\nname: shop\ndescription: Sells\ndependencies:\n  - name: postgresql\n    version: ~15.0\n    repository: https://example.org/charts\n    condition: postgresql.enabled\n  - name: common\n    version: 2.x\n"

    assert read("charts/shop/Chart.yaml", chart) == [
        ("postgresql", "~15.0", "optional:https://example.org/charts", 5),
        ("common", "2.x", "runtime", 9),
    ]
    assert read("Chart.lock", "dependencies:\n- name: common\n  repository: x\n  version: 2.19.0\n") == [
        ("common", "2.19.0", "", 2)
    ]


def test_terraform_providers_modules_and_lock_file() -> None:
    configuration = """\
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
    random = "~> 3.0"
    oneline = { source = "x/y", version = "1.0" }
  }
}
# module "not" { source = "x" }
module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.1.0"
  tags = {
    version = "not this"
  }
}
module "own" {
  source = "./modules/own"
}
resource "aws_instance" "x" {
  source = "nor this"
}
"""
    lock = 'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "5.31.0"\n  constraints = "~> 5.0"\n}\n'

    assert read("main.tf", configuration) == [
        ("hashicorp/aws", "~> 5.0", "runtime:provider", 4),
        ("hashicorp/random", "~> 3.0", "runtime:provider", 8),
        ("x/y", "1.0", "runtime:provider", 9),
        ("terraform-aws-modules/vpc/aws", "5.1.0", "runtime:module", 13),
    ]
    assert read(".terraform.lock.hcl", lock) == [("hashicorp/aws", "5.31.0", ":provider", 1)]


def test_what_docker_is_to_leave_out_is_no_dockerfile() -> None:
    assert format_of("Dockerfile.dockerignore") is None
    assert format_of("build/web.dockerfile.dockerignore") is None
    assert format_of("Dockerfile.dev") is not None

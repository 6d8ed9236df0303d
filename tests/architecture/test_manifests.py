"""The manifests say what the code does: nothing that it does not read, nothing left out that it needs."""

import importlib
import re
import shutil
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli.services import SERVICES
from runtime.embedded import chroma_server
from tests.support import cluster as k8s

NEEDED = {  # docs/operating.md, Services one by one
    "web_ui": {"REPOSTREAM_SERVICE_KEY"},
    "orchestrator": {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SERVICE_KEY"},
    "processor": {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SERVICE_KEY"},
    "ai_engine": {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SERVICE_KEY"},
    "rag_manager": {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SERVICE_KEY"},
}
TALKS = {  # which of them asks which, over HTTP or its own protocol
    "web-ui": {"orchestrator"},
    "orchestrator": {"valkey", "processor", "ai-engine", "rag-manager"},
    "processor": {"valkey", "orchestrator"},
    "ai-engine": {"valkey", "orchestrator", "rag-manager"},
    "rag-manager": {"valkey", "chroma"},
    "chroma": set(),
    "valkey": set(),
}
OUTSIDE = {"database": {"orchestrator", "processor", "ai-engine", "rag-manager", "migrate"}}
OUTSIDE |= {"objects": {"orchestrator", "processor", "rag-manager"}, "internet": {"orchestrator", "processor"}}
LONG_LIVED = [each for each in k8s.workloads() if each["kind"] != "Job"]
DEPLOYMENTS = {k8s.name_of(each): each for each in k8s.objects("Deployment")}
NAMES = [k8s.name_of(each) for each in k8s.workloads()]


def service_of(name: str) -> str:
    return name.replace("-", "_")


def named(kind: str) -> dict[str, k8s.Object]:
    return {k8s.name_of(each): each for each in k8s.objects(kind)}


def test_there_is_a_deployment_and_a_service_for_each_service() -> None:
    assert {service_of(name) for name in DEPLOYMENTS} == set(SERVICES)
    assert set(DEPLOYMENTS) | {"chroma", "valkey"} == set(named("Service"))


@pytest.mark.parametrize("folder", k8s.overlays(), ids=lambda path: path.name)
def test_every_setting_that_is_named_is_one_that_is_read(folder: Path) -> None:
    known = k8s.known_settings()
    configured = set(k8s.settings_in(folder))
    given = {item["name"] for each in k8s.workloads() for item in k8s.container_of(each).get("env", [])}
    mounted = {path for each in k8s.workloads() for path in k8s.mounted_secrets(each) if path != "users.acl"}

    assert (configured | given | mounted) - set(known) - k8s.FROM_ELSEWHERE == set()
    assert all(known[name] for name in mounted), "only a secret can be read from a file"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_service_does_not_start_without_the_secrets_that_it_needs(name: str) -> None:
    needed = {f"REPOSTREAM_{end.removeprefix('REPOSTREAM_')}" for end in NEEDED[service_of(name)]}

    assert set(k8s.mounted_secrets(DEPLOYMENTS[name])) == needed
    assert set(k8s.settings_in(k8s.overlays()[0])) & needed == set(), "a secret stands in no ConfigMap"


def test_the_migrations_have_the_owner_and_the_key() -> None:
    assert set(k8s.mounted_secrets(named("Job")["migrate"])) == {"REPOSTREAM_DATABASE_URL", "REPOSTREAM_SECRET_KEY"}


@pytest.mark.parametrize("folder", k8s.overlays(), ids=lambda path: path.name)
def test_an_overlay_says_what_every_service_needs_besides(folder: Path) -> None:
    settings = k8s.settings_in(folder)
    ports = {k8s.name_of(each): each["spec"]["ports"][0]["port"] for each in k8s.objects("Service")}
    asked = {"orchestrator", "processor", "ai_engine", "rag_manager"}

    assert settings["REPOSTREAM_CHROMA_URL"] == f"http://chroma:{ports['chroma']}"
    assert {service: settings[f"REPOSTREAM_INTERNAL_{service.upper()}_URL"] for service in asked} == {
        service: f"http://{service.replace('_', '-')}:{ports[service.replace('_', '-')]}" for service in asked
    }
    assert {settings[f"REPOSTREAM_{service.upper()}_HOST"] for service in SERVICES} == {"0.0.0.0"}
    assert settings["REPOSTREAM_OBJECTS_URL"]
    assert settings["REPOSTREAM_PUBLIC_URL"]
    assert "orchestrator" in settings["REPOSTREAM_ORCHESTRATOR_ALLOWED_HOSTS"].split(","), "the pages call it so"
    assert not {"REPOSTREAM_LOCAL_SIGN_IN", "REPOSTREAM_INTAKE_LOOPBACK"} & set(settings), "refused in a cluster"


@pytest.mark.parametrize("workload", k8s.workloads(), ids=NAMES)
def test_a_pod_is_restricted(workload: k8s.Object) -> None:
    pod, container = k8s.pod_of(workload), k8s.container_of(workload)
    user = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}

    assert pod["securityContext"] == user | {"seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["serviceAccountName"] == "repostream"
    assert {"cpu", "memory"} == set(container["resources"]["requests"]) == set(container["resources"]["limits"])
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all("hostPath" not in volume for volume in pod["volumes"])
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume)


@pytest.mark.parametrize("workload", LONG_LIVED, ids=[k8s.name_of(each) for each in LONG_LIVED])
def test_what_goes_on_is_looked_after(workload: k8s.Object) -> None:
    name, container = k8s.name_of(workload), k8s.container_of(workload)
    (port,) = container["ports"]
    (service,) = [each["spec"]["ports"] for each in k8s.objects("Service") if k8s.name_of(each) == name]
    budget, selector = named("PodDisruptionBudget")[name], workload["spec"]["selector"]

    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert service[0]["port"] == port["containerPort"]
    assert service[0]["targetPort"] == port["name"]
    assert budget["spec"] == {"maxUnavailable": 1, "selector": selector}
    assert selector["matchLabels"].items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    assert k8s.pod_of(workload)["terminationGracePeriodSeconds"] >= 60


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_service_is_asked_where_it_answers(name: str) -> None:
    container = k8s.container_of(DEPLOYMENTS[name])
    hosts = [item for probe in ("startupProbe", "livenessProbe") for item in container[probe]["httpGet"].items()]

    assert container["args"] == ["repostream", "service", service_of(name)]
    assert container["ports"][0]["containerPort"] == SERVICES[service_of(name)].port
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["lifecycle"]["preStop"]["exec"]["command"][0] == "sleep"
    assert ("httpHeaders" in dict(hosts)) == (name == "orchestrator"), "it answers to names that it knows"
    assert find_spec(f"{service_of(name)}.app") is not None


def test_the_other_commands_are_there() -> None:
    commands = {k8s.name_of(each): k8s.container_of(each)["args"] for each in k8s.workloads()}
    config = (k8s.BASE / "valkey.conf").read_text("utf-8")

    assert commands["migrate"] == ["python", "-m", "migrations", "upgrade"]
    assert importlib.import_module("migrations.__main__").main
    assert commands["chroma"][:3] == ["python", "-m", chroma_server.__name__]
    assert commands["valkey"] == ["valkey-server", "/etc/valkey/valkey.conf"]
    assert "port 6379" in config
    assert "maxmemory-policy noeviction" in config


def test_every_service_is_reached_by_those_that_ask_it_and_nobody_else() -> None:
    policies = named("NetworkPolicy")
    label = "app.kubernetes.io/name"
    reached = {
        name: {
            peer["podSelector"]["matchLabels"][label]
            for rule in policies[name]["spec"]["ingress"]
            for peer in rule["from"]
            if "podSelector" in peer
        }
        for name in TALKS
    }
    asked = {
        name: {
            (peer["podSelector"]["matchLabels"][label], rule["ports"][0]["port"])
            for rule in policies[name]["spec"]["egress"]
            for peer in rule["to"]
        }
        for name in TALKS
    }
    ports = {name: named("Service")[name]["spec"]["ports"][0]["port"] for name in TALKS}

    assert reached == {name: {who for who, whom in TALKS.items() if name in whom} for name in TALKS}
    assert asked == {name: {(whom, ports[whom]) for whom in TALKS[name]} for name in TALKS}
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(policies[name]["spec"]["policyTypes"] == ["Ingress", "Egress"] for name in TALKS)
    assert all(policies[name]["spec"]["ingress"][0]["ports"][0]["port"] == ports[name] for name in TALKS)


@pytest.mark.parametrize("where", OUTSIDE)
def test_only_those_that_need_it_reach_outside(where: str) -> None:
    label = f"repostream/{where}"
    labels = {k8s.name_of(each): each["spec"]["template"]["metadata"]["labels"] for each in k8s.workloads()}

    assert {name for name, given in labels.items() if given.get(label) == "true"} == OUTSIDE[where]
    assert named("NetworkPolicy")[where]["spec"]["podSelector"]["matchLabels"] == {label: "true"}


def test_what_serves_the_pages_and_what_keeps_data_is_one() -> None:
    targets = {each["spec"]["scaleTargetRef"]["name"] for each in k8s.objects("HorizontalPodAutoscaler")}

    assert targets == set(DEPLOYMENTS) - {"web-ui"}
    assert all("replicas" not in each["spec"] for each in DEPLOYMENTS.values()), "an autoscaler would be overruled"
    assert {k8s.name_of(each): each["spec"]["replicas"] for each in k8s.objects("StatefulSet")} == {
        "chroma": 1,
        "valkey": 1,
    }


def test_the_processor_parses_with_as_many_as_it_may_have_cores() -> None:
    container = k8s.container_of(DEPLOYMENTS["processor"])

    # Left to itself it would count the cores of the node.
    assert {"name": "REPOSTREAM_PROCESSOR_PARSERS", "value": container["resources"]["limits"]["cpu"]} in container[
        "env"
    ]


def test_one_place_says_which_image_runs() -> None:
    version = tomllib.loads((k8s.ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    (image,) = k8s.read(k8s.BASE / "kustomization.yaml")[0]["images"]

    assert {k8s.container_of(each)["image"] for each in k8s.workloads()} == {"repostream"}
    assert image == {"name": "repostream", "newName": "repostream", "newTag": version}
    assert f"-t repostream:{version} ." in (k8s.ROOT / "k8s" / "image" / "Dockerfile").read_text("utf-8")


def test_the_namespace_takes_nothing_less_than_restricted() -> None:
    labels = named("Namespace")["repostream"]["metadata"]["labels"]

    assert {labels[f"pod-security.kubernetes.io/{what}"] for what in ("enforce", "audit", "warn")} == {"restricted"}


def test_what_comes_before_the_services_can_be_applied_first() -> None:
    first = {
        (each["kind"], k8s.name_of(each))
        for each in k8s.objects()
        if each["metadata"].get("labels", {}).get("repostream/step") == "first"
    }

    assert first == {
        ("Namespace", "repostream"),
        ("ServiceAccount", "repostream"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "names"),
        ("NetworkPolicy", "database"),
        ("Job", "migrate"),
    }


def test_the_ingress_leads_to_services_and_keeps_nothing_back() -> None:
    (ingress,) = k8s.read(k8s.OVERLAYS / "production" / "ingress.yaml")
    (rule,) = ingress["spec"]["rules"]
    said = {key.rpartition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    host = k8s.settings_in(k8s.OVERLAYS / "production")["REPOSTREAM_WEB_UI_ALLOWED_HOSTS"]

    paths = {path["path"]: path["backend"]["service"] for path in rule["http"]["paths"]}
    assert {path: backend["name"] for path, backend in paths.items()} == {
        "/api/v1": "orchestrator",
        "/hooks": "orchestrator",
        "/": "web-ui",
    }
    assert {backend["port"]["name"] for backend in paths.values()} == {"http"}
    assert rule["host"] == host == ingress["spec"]["tls"][0]["hosts"][0]
    assert said["proxy-buffering"] == said["proxy-request-buffering"] == "off"
    assert int(said["proxy-read-timeout"]) >= 620


def test_the_image_is_installed_as_a_machine_is_and_holds_no_more() -> None:
    dockerfile = (k8s.ROOT / "k8s" / "image" / "Dockerfile").read_text("utf-8")
    ignored = (k8s.ROOT / ".dockerignore").read_text("utf-8").splitlines()
    shipped = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    packages = re.search(r"^PACKAGES := (.*)$", (k8s.ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    known = k8s.known_settings()

    assert "RUN make install" in dockerfile
    assert packages is not None
    assert shipped == {*packages[1].split(), "requirements", "Makefile", "pyproject.toml", "README.md", "LICENSE"}
    assert "*" in ignored
    assert "USER 10001:10001" in dockerfile
    assert set(re.findall(r"(REPOSTREAM_\w+)=", dockerfile)) <= set(known)
    for name in ("MALLOC_ARENA_MAX=2", "ARROW_DEFAULT_MEMORY_POOL=system", "OPENBLAS_NUM_THREADS=1"):
        assert name in dockerfile


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kustomize is part of kubectl, which is not here")
@pytest.mark.parametrize("folder", k8s.overlays(), ids=lambda path: path.name)
def test_an_overlay_can_be_built(folder: Path) -> None:
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)

    assert built.returncode == 0, built.stderr
    assert len(re.findall(r"^kind:", built.stdout, re.MULTILINE)) > len(k8s.objects())


def test_the_readme_names_every_secret_that_a_pod_wants() -> None:
    told = (k8s.ROOT / "k8s" / "README.md").read_text("utf-8")
    wanted = {
        text
        for each in k8s.workloads()
        for text in k8s.strings(k8s.pod_of(each))
        if text.startswith("repostream-") or text in k8s.mounted_secrets(each)
    }

    assert len(wanted) > 10
    assert {text for text in wanted if f"`{text}`" not in told} == set()

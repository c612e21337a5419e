"""The Helm chart: Helm has nothing to say, Kubernetes knows all of it, and shutdowns have time."""

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python import Chart, lint

from coqui_server.transcription.readiness import ANSWERS
from tests.deploy.test_containers import KNOWN
from tests.support.clips import ROOT

CHART = ROOT / "deploy" / "helm" / "coqui-server"
SCALE = yaml.safe_load((CHART / "values-scale.yaml").read_text(encoding="utf-8"))
EVERYTHING = {
    **SCALE,
    "calls": {"enabled": True, "allow": ["10.0.0.0/8", "192.0.2.1/32"]},
    "ingress": {"enabled": True, "class": "nginx", "tls": "certificate", "host": "a.example"},
    "settings": 'vad.silence.live = 600 ms\nwhisper.model = "large"',
}
SHAPES: dict[str, dict[str, Any]] = {"one": {}, "scale": SCALE, "everything": EVERYTHING}

OLDEST, NEWEST = "1.30", "1.37"


def made(values: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """What the chart makes with these values, by kind and name."""
    return {(each["kind"], each["metadata"]["name"]): each for each in _objects(values)}


def _objects(values: dict[str, Any]) -> Iterator[Any]:
    with Chart.load(CHART) as chart:
        for text in chart.render(values, name="speech").values():
            yield from filter(None, yaml.safe_load_all(text))


def pod(made: dict[tuple[str, str], Any], kind: str, name: str) -> Any:
    """The pods of one of them."""
    return made[kind, name]["spec"]["template"]["spec"]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_chart_is_valid(shape: str) -> None:
    """For `helm lint --strict`, and against the schemas of the oldest and the newest Kubernetes."""
    report = lint(CHART, SHAPES[shape], strict=True)
    assert report["errors"] == []
    assert [each for each in report["messages"] if each["severity"] > 1] == []
    for version in (OLDEST, NEWEST):
        for each in made(SHAPES[shape]).values():
            kubernetes_validate.validate(each, version, strict=True)


def test_one_server_needs_nothing_else() -> None:
    """No workers, no autoscaler, no budget, no Secret."""
    found = made({})
    assert {kind for kind, _ in found} == {
        "ConfigMap",
        "PersistentVolumeClaim",
        "Service",
        "StatefulSet",
    }
    (container,) = pod(found, "StatefulSet", "speech-server")["containers"]
    assert "envFrom" not in container
    assert found["StatefulSet", "speech-server"]["spec"]["replicas"] == 1


@pytest.mark.parametrize("drain", [0, 10, 120])
def test_a_pod_has_longer_than_the_drain(drain: int) -> None:
    """The pause before, the drain for sessions and for the webhook, and the last finals' 5 s."""
    spec = pod(made({"server": {"drain": drain}}), "StatefulSet", "speech-server")
    (container,) = spec["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert told["SERVER_DRAIN"] == f"{drain} s"
    assert pause > 0
    assert spec["terminationGracePeriodSeconds"] >= pause + 2 * drain + 5 + 10


def test_probes_ask_what_is_answered() -> None:
    """Of the servers, and of the image's health check."""
    (container,) = pod(made({}), "StatefulSet", "speech-server")["containers"]
    asked = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {each["port"] for each in asked.values()} == {"speech"}
    assert {name: each["path"] for name, each in asked.items()} == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    image = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert ":5004/health/live'" in image
    assert {each["path"] for each in asked.values()} <= ANSWERS.keys()


def test_several_servers() -> None:
    """Each with its own name and the others' database; an autoscaler on our metric, which begins
    before a server refuses; a budget of one; workers."""
    found = made(SCALE)
    scaler = found["HorizontalPodAutoscaler", "speech-server"]["spec"]
    (metric,) = scaler["metrics"]
    assert metric["pods"]["metric"]["name"] == "coqui_decoder_needed"
    assert metric["pods"]["target"]["averageValue"] == "2400m"
    assert scaler["minReplicas"] == 2
    assert "replicas" not in found["StatefulSet", "speech-server"]["spec"]
    budget = found["PodDisruptionBudget", "speech-server"]["spec"]
    labels = found["StatefulSet", "speech-server"]["spec"]["template"]["metadata"]["labels"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    for kind, name in (("StatefulSet", "speech-server"), ("Deployment", "speech-worker")):
        (container,) = pod(found, kind, name)["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "coqui-server"}}]
    assert pod(found, "Deployment", "speech-worker")["containers"][0]["args"][0] == "worker"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pod_is_shut_in(shape: str) -> None:
    """Not root, read-only, without capabilities; with variables that the image knows."""
    found = made(SHAPES[shape])
    kept = ("StatefulSet", "Deployment")
    specs = [pod(found, kind, name) for kind, name in found if kind in kept]
    for spec in specs:
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert not spec["automountServiceAccountToken"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {each["name"] for each in container["env"]} <= KNOWN


def test_calls_come_to_the_node() -> None:
    """One server on each, which tells gateways the node's address."""
    spec = pod(made(EVERYTHING), "StatefulSet", "speech-server")
    told = {each["name"]: each for each in spec["containers"][0]["env"]}
    assert spec["hostNetwork"]
    assert "requiredDuringSchedulingIgnoredDuringExecution" in spec["affinity"]["podAntiAffinity"]
    assert told["RTP_ALLOW"]["value"] == "10.0.0.0/8,192.0.2.1/32"
    assert told["RTP_ADVERTISE"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.hostIP"


def test_settings_are_added_to_those_of_the_image() -> None:
    """As they are written."""
    text = made(EVERYTHING)["ConfigMap", "speech-settings"]["data"]["application.conf"]
    first, *rest = text.splitlines()
    assert first == 'include "/etc/coqui_server/application.conf"'
    assert "\n".join(rest).strip() == EVERYTHING["settings"]

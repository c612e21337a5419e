"""The dashboard and the alerts ask for metrics that there are, and the alerts say what is wrong."""

import json
import re
import shutil
import subprocess
from contextlib import AsyncExitStack

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from coqui_server.cluster import Cluster
from coqui_server.cluster.link import Link
from tests.support.clips import ROOT
from tests.support.daemon import Start
from tests.support.live import Obstacle

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:coqui|process)_\w+")


def asked_for() -> dict[str, set[str]]:
    """The metrics that each file names."""
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    shown = [each["expr"] for panel in dashboard["panels"] for each in panel.get("targets", ())]
    shown += [each["query"]["query"] for each in dashboard["templating"]["list"][1:]]
    rules = re.findall(r"expr: ((?:.|\n {10,})+)", (DEPLOY / "alerts.yaml").read_text())
    adapter = (DEPLOY / "prometheus-adapter.yaml").read_text()
    chart = (DEPLOY / "helm/coqui-server/templates/availability.yaml").read_text()
    page = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    texts = {
        "dashboard": "\n".join(shown),
        "alerts": "\n".join(rules),
        "adapter": adapter,
        "chart": chart,
        "page": page.partition("| watch |")[2].partition("\n\n")[0],
    }
    return {
        name: set(METRIC.findall(text.replace("coqui_server", ""))) for name, text in texts.items()
    }


async def test_every_metric_that_is_asked_for_is_one_that_there_is(start: Start) -> None:
    """In the dashboard, the alerts, the autoscaler and on the page. The dashboard leaves out none
    of ours."""
    async with (
        start(Obstacle(), console=True) as server,
        httpx.AsyncClient(base_url=server.console) as web,
    ):
        # One of several, of which this is not the place to start any.
        server.service.cluster = Cluster("a", Link("redis://127.0.0.1:1"), AsyncExitStack())
        text = (await web.get("/metrics")).text
        server.service.cluster = None
    given = {
        sample.name for family in text_string_to_metric_families(text) for sample in family.samples
    }
    asked = asked_for()
    assert min(map(len, asked.values())) >= 1
    for name, metrics in asked.items():
        assert metrics <= given, name
    assert {metric for metric in given if metric.startswith("coqui_")} <= asked["dashboard"]


@pytest.mark.parametrize(
    "command",
    [["check", "rules", "deploy/alerts.yaml"], ["test", "rules", "tests/deploy/alerts.yaml"]],
)
def test_the_alert_rules(command: list[str]) -> None:
    """Prometheus takes them, and each is silent when all is well and speaks when it is not."""
    if shutil.which("promtool") is None:
        pytest.skip("prometheus is not installed")
    ended = subprocess.run(["promtool", *command], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_has_a_test() -> None:
    """In which it fires."""
    rules = set(re.findall(r"alert: (\w+)", (DEPLOY / "alerts.yaml").read_text()))
    tests = (ROOT / "tests/deploy/alerts.yaml").read_text()
    fired = re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", tests)
    assert set(fired) == rules

"""The alerting rules of deploy/, by Prometheus' own tool: what each is heard for, and what not (tests/alerts.yml)."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


@needs_promtool
@pytest.mark.parametrize(
    "arguments", [("check", "rules", "deploy/alerts.yml"), ("test", "rules", "tests/alerts.yml")]
)
def test_prometheus_understands_the_alerts(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_been_heard_in_a_test() -> None:
    rules = (ROOT / "deploy" / "alerts.yml").read_text()
    tests = (ROOT / "tests" / "alerts.yml").read_text()
    named = [line.split("alert:")[1].strip() for line in rules.splitlines() if "alert:" in line]
    assert len(named) > 9
    for alert in named:
        assert f"alertname: {alert}}}" in tests, f"{alert} is nowhere quiet"
        assert f"alertname: {alert}, exp_alerts" in tests, f"{alert} is nowhere heard"

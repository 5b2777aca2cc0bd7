"""Does containerd run where it is switched on? Docker and Kubernetes start containers through it."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.services import CONTAINERD, Service, judge_service, observe_services

CHECK = Check(title="containerd service")

observe = observe_services


def evaluate(seen: dict[str, Service]) -> Finding:
    return judge_service(seen, CONTAINERD)

"""Does Docker run where it is switched on?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.services import DOCKER, Service, judge_service, observe_services

CHECK = Check(title="Docker service")

observe = observe_services


def evaluate(seen: dict[str, Service]) -> Finding:
    return judge_service(seen, DOCKER)

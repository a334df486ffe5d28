"""The questions, in the documented order: STEPS is the table of contents, RULES every failure mode that they know."""

from ..model.diagnosis import Rule
from . import dns, endpoints, policy, proxy, readiness, service
from .step import Step

STEPS: tuple[Step, ...] = (service.STEP, endpoints.STEP, readiness.STEP, dns.STEP, policy.STEP, proxy.STEP)

RULES: tuple[Rule, ...] = tuple(rule for step in STEPS for rule in step.rules)

__all__ = ["RULES", "STEPS", "Step"]

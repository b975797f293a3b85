#!/usr/bin/env python3
"""Writes rules.yaml beside this: the rules and alerts of deploy/prometheus as the Prometheus Operator wants them. Standard library alone."""

from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE.parents[2] / "prometheus"
HEAD = """\
# Written by rules.py from deploy/prometheus, where the rules are tested; `check` says when it is not what they are.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: docket
  labels:
    app.kubernetes.io/name: docket
spec:
  groups:
"""


def groups(name: str) -> str:
    """The groups of a file, indented as a spec has them."""
    _, _, text = (SOURCE / name).read_text().partition("\ngroups:\n")
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


(HERE / "rules.yaml").write_text(HEAD + groups("rules.yml") + groups("alerts.yml"))

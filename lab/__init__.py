"""A province in network namespaces: real kernels' ICMP, real snmpd, real faults.

    with Lab(Plan(departments=10)) as lab:
        with lab.faults.cut("so-3"):
            print(lab.run("ping", "-c1", "-W1", str(lab.address("so-3"))).stdout)

Tests, benchmarks and people (`make lab`) use it alike. It needs root; `lab.capabilities` says in
words what else is missing.
"""

from lab.province import Lab
from lab.topology import Plan

__all__ = ["Lab", "Plan"]

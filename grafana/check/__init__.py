"""What proves the dashboards without a Grafana server: structure, expressions, rules."""

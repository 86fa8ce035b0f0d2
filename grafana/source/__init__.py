"""The source of the dashboards: `scripts/generate.py` writes the JSON that Grafana reads.

render  files → text
  ▲
overview boxes link carrier availability inventory health   one module, one dashboard
  ▲
board   what all dashboards have: variables, links between them, annotations, layout
panels  the kinds of panels, each with the options that were found to read well
body    what every panel is made of: queries, its place, how a value is told
look    colours, words of states, thresholds
series  every PromQL expression that more than one panel needs
records the recording rules that keep the wall cheap
"""

"""Alertmanager's templates for mail: Vietnamese, English beneath it."""

from __future__ import annotations

_NANOSECONDS = 1_000_000_000

_TEMPLATES = """\
{{/* Written by `netmon export alertmanager-templates`; times are those of the province. */}}

{{ define "netmon.word" -}}
{{ if eq .Status "firing" }}SỰ CỐ{{ else }}ĐÃ HẾT{{ end }}
{{- end }}

{{/* Of a group that goes on, some may be over: the first that is not gives its name. */}}
{{ define "netmon.subject" -}}
{{ $told := .Alerts.Resolved }}{{ if eq .Status "firing" }}{{ $told = .Alerts.Firing }}{{ end -}}
[{{ template "netmon.word" . }}] {{ (index $told 0).Annotations.summary }}
{{- if gt (len .Alerts) 1 }} (+){{ end }}
{{- end }}

{{ define "netmon.times" -}}
Từ {{ (.StartsAt.Add OFFSET).Format "15:04 02/01/2006" }}
{{- if eq .Status "resolved" }} đến {{ (.EndsAt.Add OFFSET).Format "15:04 02/01/2006" }}{{ end }}
{{- end }}

{{ define "netmon.text" -}}
{{ range .Alerts -}}
[{{ template "netmon.word" . }}] {{ .Annotations.summary }}
{{ .Annotations.description }}
{{ template "netmon.times" . }}
Việc cần làm: {{ .Annotations.runbook_url }}

{{ .Annotations.summary_en }}
{{ .Annotations.description_en }}

{{ end -}}
{{- end }}

{{ define "netmon.html" -}}
<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"></head><body>
{{ range .Alerts -}}
<h2>[{{ template "netmon.word" . }}] {{ .Annotations.summary }}</h2>
<p>{{ .Annotations.description }}</p>
<p>{{ template "netmon.times" . }}.
<a href="{{ .Annotations.runbook_url }}">Việc cần làm</a></p>
<p lang="en"><small>{{ .Annotations.summary_en }} {{ .Annotations.description_en }}</small></p>
{{ end -}}
</body></html>
{{- end }}
"""


def templates(offset_seconds: int) -> str:
    """Return netmon.tmpl. `offset_seconds`: local time minus UTC, Alertmanager has no zones."""
    return _TEMPLATES.replace("OFFSET", str(offset_seconds * _NANOSECONDS))

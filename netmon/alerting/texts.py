"""What alerts say: texts of the catalogue, with Prometheus' templates in the place of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.messages import LANGUAGES
from netmon.model import CAUSES, Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netmon.messages import Catalogue

_LABELS = (
    "agency",
    "circuit",
    "instance",
    "interface",
    "kind",
    "link",
    "name",
    "provider_name",
)
_AGENCY, _LINK = ("agency",), ("agency", "link")
_NANOSECONDS = 1_000_000_000


def alert_texts(
    catalogue: Catalogue, alert: str, runbooks: str, offset_seconds: int
) -> Mapping[str, str]:
    """Return the annotations of an alert: Vietnamese, English beside it, and what to do.

    `offset_seconds` is the province's offset from UTC: Prometheus has no time zones.
    """
    texts = {}
    for language in LANGUAGES:
        values = _values(catalogue, language, offset_seconds)
        for part in ("summary", "description"):
            suffix = "" if language == LANGUAGES[0] else f"_{language}"
            text = catalogue.text(language, f"alert.{alert}.{part}", **values)
            texts[f"{part}{suffix}"] = " ".join(text.split())
    ordered = {key: texts[key] for key in sorted(texts, key=_annotation_order)}
    return ordered | {"runbook_url": f"{runbooks}/{alert}.md"}


def _annotation_order(key: str) -> tuple[bool, bool]:
    return key.endswith("_en"), key.startswith("description")


def _values(catalogue: Catalogue, language: str, offset_seconds: int) -> dict[str, str]:
    values = {label: f"{{{{ $labels.{label} }}}}" for label in _LABELS}
    values |= {
        "percent": "{{ $value | humanizePercentage }}",
        "since": _since(catalogue, language, offset_seconds, _AGENCY),
        "link_since": _since(catalogue, language, offset_seconds, _LINK),
        "behind": _behind(catalogue, language),
        "circuits": _circuits(catalogue, language),
        "cause": _cause(catalogue, language, _AGENCY),
        "link_cause": _cause(catalogue, language, _LINK),
        "loss": _figure(
            catalogue,
            language,
            "alert_part.loss",
            "max(netmon_link_loss_ratio{%s})",
            "humanizePercentage",
        ),
        "rtt": _figure(
            catalogue,
            language,
            "alert_part.rtt",
            "max(netmon_echo_last_rtt_seconds{%s})",
            "humanizeDuration",
        ),
        "provider_down": _share(catalogue, language, "provider", "link"),
        "area_down": _share(catalogue, language, "district", "agency"),
    }
    return values


def _query(expression: str, *labels: str) -> str:
    """Return a template's query; every %q of the expression is one of the alert's labels."""
    given = " ".join(f"$labels.{label}" for label in labels)
    return f"(query (printf `{expression}` {given}))"


def _of(series: str, labels: Sequence[str]) -> str:
    """Return the series with these labels, each to be filled in."""
    return f"{series}{{{','.join(f'{label}=%q' for label in labels)}}}"


def _since(catalogue: Catalogue, language: str, offset_seconds: int, labels: Sequence[str]) -> str:
    # The agency is down since the last of its links is. A silent netmon's last word counts.
    start = _of("netmon_link_outage_start_timestamp_seconds", labels)
    query = _query(f"max(last_over_time({start}[1h]))", *labels)
    shift = offset_seconds * _NANOSECONDS
    time = f'{{{{ ((. | first | value | toTime).Add {shift}).Format "15:04 02/01/2006" }}}}'
    text = catalogue.text(language, "alert_part.since", time=time)
    return f"{{{{ with {query} }}}} {text}{{{{ end }}}}"


def _behind(catalogue: Catalogue, language: str) -> str:
    query = _query("agency:netmon_agency_unreachable_behind:count{agency=%q}", "agency")
    text = catalogue.text(language, "alert_part.behind", count="{{ . | first | value }}")
    return f"{{{{ with {query} }}}} {text}{{{{ end }}}}"


def _circuits(catalogue: Catalogue, language: str) -> str:
    query = f'{_query("netmon_link_info{agency=%q}", "agency")} | sortByLabel "link"'
    one = "{{ .Labels.link }} {{ .Labels.provider_name }} {{ .Labels.circuit }}"
    listed = f"{{{{ range $i, $_ := . }}}}{{{{ if $i }}}}; {{{{ end }}}}{one}{{{{ end }}}}"
    text = catalogue.text(language, "alert_part.circuits", circuits=listed)
    return f"{{{{ with {query} }}}} {text}{{{{ end }}}}"


def _cause(catalogue: Catalogue, language: str, labels: Sequence[str]) -> str:
    query = _query(f"{_of('netmon_link_outage_cause', labels)} == 1", *labels)
    words = [
        f'{{{{ {"else if" if number else "if"} eq $c "{cause}" }}}}'
        + catalogue.text(language, f"cause.{cause}")
        for number, cause in enumerate(known for known in CAUSES if known is not Cause.UNKNOWN)
    ]
    unknown = catalogue.text(language, f"cause.{Cause.UNKNOWN}")
    chosen = f"{''.join(words)}{{{{ else }}}}{unknown}{{{{ end }}}}"
    label = '{{ $c := (. | first | label "cause") }}'
    text = catalogue.text(language, "alert_part.cause", cause=chosen)
    return f"{{{{ with {query} }}}}{label} {text}{{{{ end }}}}"


def _figure(catalogue: Catalogue, language: str, key: str, expression: str, form: str) -> str:
    query = _query(expression % "agency=%q,link=%q", "agency", "link")
    text = catalogue.text(language, key, figure=f"{{{{ . | first | value | {form} }}}}")
    return f"{{{{ with {query} }}}} {text}{{{{ end }}}}"


def _share(catalogue: Catalogue, language: str, level: str, of: str) -> str:
    series = {"link": f"{level}:netmon_link_down", "agency": f"{level}:netmon_agency_down"}[of]
    count = _query(f"{series}:count{{{level}=%q}}", level)
    ratio = _query(f"{series}:ratio{{{level}=%q}}", level)
    percent = f"{{{{ with {ratio} }}}}{{{{ . | first | value | humanizePercentage }}}}{{{{ end }}}}"
    count_text = "{{ . | first | value }}"
    text = catalogue.text(language, "alert_part.share", count=count_text, percent=percent)
    return f"{{{{ with {count} }}}} {text}{{{{ end }}}}"

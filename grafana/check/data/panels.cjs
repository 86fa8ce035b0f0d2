// What a panel says, by Grafana's own data library and without a browser.
//
// stdin: [{panel, answers: [{refId, result}], start, end, step}], Prometheus' answers as they came.
// stdout: one object for each, see the functions below `readers`.
"use strict";

Object.defineProperty(globalThis, "navigator", {
  value: { language: "vi-VN", languages: ["vi-VN"] },
  configurable: true,
  writable: true,
});
const grafana = require("@grafana/data");
const { firstValueFrom } = require("rxjs");
// Only now: with a window the library would look for a document while it is loaded.
globalThis.window = globalThis;

const TIME_ZONE = "Asia/Ho_Chi_Minh";
const theme = grafana.createTheme({ colors: { mode: "dark" } });
const asItIs = (text) => text;

const transformers = [
  ...new Map(Object.values(grafana.standardTransformers).map((each) => [each.id, each])).values(),
];
grafana.standardTransformersRegistry.setInit(() =>
  transformers.map((each) => ({ id: each.id, name: each.id, transformation: async () => each })),
);
const processors = {
  unit: grafana.unitOverrideProcessor,
  decimals: grafana.numberOverrideProcessor,
  min: grafana.numberOverrideProcessor,
  max: grafana.numberOverrideProcessor,
  displayName: grafana.displayNameOverrideProcessor,
  noValue: grafana.stringOverrideProcessor,
  color: grafana.identityOverrideProcessor,
  thresholds: grafana.thresholdsOverrideProcessor,
  mappings: grafana.valueMappingsOverrideProcessor,
  links: grafana.dataLinksOverrideProcessor,
};
const custom = ["cellOptions", "hidden", "lineStyle", "transform", "width"];
const property = (id, process, isCustom) => ({
  id: isCustom ? `custom.${id}` : id,
  path: id,
  name: id,
  process,
  isCustom,
  shouldApply: () => true,
});
const fieldConfigRegistry = new grafana.FieldConfigOptionsRegistry(() => [
  ...Object.entries(processors).map(([id, process]) => property(id, process, false)),
  ...custom.map((id) => property(id, grafana.identityOverrideProcessor, true)),
]);
const units = new Set(grafana.getValueFormats().flatMap((c) => c.submenu.map((u) => u.value)));
const properties = new Set([...Object.keys(processors), ...custom.map((id) => `custom.${id}`)]);

// --- From Prometheus' answers to frames, as its data source in Grafana makes them ---------------

const points = (series) => series.values ?? [series.value];

function legend(target, labels) {
  if (target.legendFormat) {
    return target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "");
  }
  return undefined;
}

function seriesFrames(target, answer, step) {
  return answer.result.map((series) =>
    grafana.toDataFrame({
      refId: target.refId,
      fields: [
        {
          name: "Time",
          type: "time",
          config: { interval: step * 1000 },
          values: points(series).map(([at]) => at * 1000),
        },
        {
          name: "Value",
          type: "number",
          labels: series.metric,
          config: { displayNameFromDS: legend(target, series.metric) },
          values: points(series).map(([, value]) => Number(value)),
        },
      ],
    }),
  );
}

function tableFrame(target, answer, isOnly) {
  const labels = [...new Set(answer.result.flatMap((each) => Object.keys(each.metric)))].sort();
  const column = (name) => ({
    name,
    type: "string",
    config: { filterable: true },
    values: answer.result.map((each) => each.metric[name] ?? ""),
  });
  return grafana.toDataFrame({
    refId: target.refId,
    fields: [
      { name: "Time", type: "time", values: answer.result.map((each) => each.value[0] * 1000) },
      ...labels.map(column),
      {
        name: isOnly ? "Value" : `Value #${target.refId}`,
        type: "number",
        values: answer.result.map((each) => Number(each.value[1])),
      },
    ],
  });
}

function framesOf({ panel, answers, step }) {
  const isOnly = panel.targets.length === 1;
  return panel.targets.flatMap((target) => {
    const answer = answers.find((each) => each.refId === target.refId);
    if (!answer || answer.result.length === 0) return [];
    return target.format === "table"
      ? [tableFrame(target, answer, isOnly)]
      : seriesFrames(target, answer, step);
  });
}

async function prepared(job) {
  const { panel } = job;
  const frames = framesOf(job);
  const wanted = panel.transformations ?? [];
  const data = wanted.length
    ? await firstValueFrom(grafana.transformDataFrame(wanted, frames, { interpolate: asItIs }))
    : frames;
  return grafana.applyFieldOverrides({
    data,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry,
    replaceVariables: asItIs,
    theme,
    timeZone: TIME_ZONE,
  });
}

// --- What is read off a panel of each kind -------------------------------------------------------

const told = (display) => ({
  text: grafana.formattedValueToString(display).trim(),
  color: display.color,
});

/** Tiles and bars: {values: [{name, text, color, number}]}. */
function values({ panel }, data) {
  const found = grafana.getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    data,
    theme,
    timeZone: TIME_ZONE,
    replaceVariables: asItIs,
  });
  return {
    values: found.map(({ display, hasLinks }) => ({
      name: display.title ?? "",
      ...told(display),
      number: Number.isFinite(display.numeric) ? display.numeric : null,
      links: Boolean(hasLinks),
    })),
  };
}

/** Tables: {columns: [{name, width}], rows: [[{text, color?}]]}, or {empty: text}. */
function table({ panel }, data) {
  const frame = data[0];
  if (!frame || frame.length === 0) {
    return { columns: [], rows: [], empty: panel.fieldConfig.defaults.noValue };
  }
  const shown = frame.fields.filter((field) => !field.config.custom?.hidden);
  const name = (field) => grafana.getFieldDisplayName(field, frame, data);
  const cell = (field, index) => {
    const { text, color } = told(field.display(field.values[index]));
    const isColoured = field.config.custom?.cellOptions?.type === "color-background";
    return isColoured ? { text, color } : { text };
  };
  return {
    columns: shown.map((field) => ({ name: name(field), width: field.config.custom?.width })),
    rows: order(panel, frame, name).map((index) => shown.map((field) => cell(field, index))),
  };
}

function order(panel, frame, name) {
  const [by] = panel.options.sortBy ?? [];
  const field = by && frame.fields.find((each) => name(each) === by.displayName);
  const rows = Array.from({ length: frame.length }, (_, index) => index);
  if (!field) return rows;
  const compare = field.type === "number"
    ? (a, b) => (field.values[a] ?? -Infinity) - (field.values[b] ?? -Infinity)
    : (a, b) => String(field.values[a]).localeCompare(String(field.values[b]), "vi");
  return rows.sort((a, b) => (by.desc ? compare(b, a) : compare(a, b)));
}

/** Everything over time: {series: [{name, color, refId, points: [[at, number, text, color]]}]}. */
function series({ panel, start, end, step }, data) {
  return {
    series: data.map((frame) => {
      const [time, value] = frame.fields;
      const at = new Map(time.values.map((when, index) => [when, value.values[index]]));
      const steps = Math.floor((end - start) / step + 1e-6);
      const drawn = Array.from({ length: steps + 1 }, (_, index) => {
        const when = (start + index * step) * 1000;
        const number = at.get(when) ?? null;
        const { text, color } = told(value.display(number));
        return [when / 1000, Number.isFinite(number) ? number : null, text, color];
      });
      return {
        name: grafana.getFieldDisplayName(value, frame, data),
        labels: value.labels ?? {},
        color: grafana.getFieldSeriesColor(value, theme).color,
        refId: frame.refId,
        isMirrored: value.config.custom?.transform === "negative-Y",
        points: drawn,
      };
    }),
    ticks: ticks(panel, data),
  };
}

/** The texts of round numbers on an axis of this panel's unit. */
function ticks(panel, data) {
  const unit = panel.type === "heatmap" ? panel.options.yAxis.unit : panel.fieldConfig.defaults.unit;
  const format = grafana.getValueFormat(unit ?? "none");
  const numbers = new Set([0]);
  for (let power = -4; power <= 10; power += 1) {
    for (const digit of [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8]) {
      numbers.add(Number((digit * 10 ** power).toPrecision(3)));
    }
  }
  return Object.fromEntries(
    [...numbers].map((each) => [each, grafana.formattedValueToString(format(each)).trim()]),
  );
}

/** Maps: {places: [{name, latitude, longitude, text, color}]}. */
function geomap(_, data) {
  const frame = data[0];
  if (!frame) return { places: [] };
  const field = (name) => frame.fields.find((each) => each.name === name);
  const value = field("Value");
  return {
    places: Array.from({ length: frame.length }, (_unused, index) => ({
      name: field("name").values[index],
      latitude: field("latitude").values[index],
      longitude: field("longitude").values[index],
      ...told(value.display(value.values[index])),
    })),
  };
}

const readers = {
  stat: values,
  bargauge: values,
  table,
  geomap,
  timeseries: series,
  heatmap: series,
  "state-timeline": series,
  "status-history": series,
};

// --- What the library does not know ---------------------------------------------------------------

function* strangers({ fieldConfig, transformations = [] }) {
  const overrides = fieldConfig.overrides ?? [];
  const set = overrides.flatMap((each) => each.properties);
  const used = [fieldConfig.defaults.unit, ...set.filter((p) => p.id === "unit").map((p) => p.value)];
  for (const unit of used) {
    if (unit && !units.has(unit)) yield `unknown unit '${unit}'`;
  }
  for (const { id } of transformations) {
    if (!grafana.standardTransformersRegistry.getIfExists(id)) yield `unknown transformation '${id}'`;
  }
  for (const { id } of set) {
    if (!properties.has(id)) yield `unknown property '${id}'`;
  }
  for (const { matcher } of overrides) {
    if (!grafana.fieldMatchers.getIfExists(matcher.id)) yield `unknown matcher '${matcher.id}'`;
  }
}

async function read(job) {
  const { panel } = job;
  const faults = [...strangers(panel)];
  if (faults.length) return { title: panel.title, type: panel.type, faults };
  return { title: panel.title, type: panel.type, faults, ...readers[panel.type](job, await prepared(job)) };
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const jobs = JSON.parse(Buffer.concat(chunks).toString("utf-8"));
  const said = [];
  for (const job of jobs) said.push(await read(job));
  process.stdout.write(JSON.stringify(said));
}

main().catch((error) => {
  console.error(error);
  process.exit(2);
});

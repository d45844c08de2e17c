// SPDX-License-Identifier: Apache-2.0
// The three plots as uPlot options: pure descriptions from columns and colours, no drawing, no state.

import type uPlot from 'uplot';
import type { Num } from '../api';
import { known, num, signed, timeTick } from './format';
import { limitWatts, type Columns } from './history';
import { clamp } from './scale';

export type Quantity = 'power' | 'current';

export interface Colours {
  text: string;
  grid: string;
  flow: string;
  band: string;
  limit: string;
  forbidden: string;
  soc: string;
  socFill: string;
  outFill: string;
  high: string;
  low: string;
  font: string;
}

interface Line {
  label: string;
  stroke: string;
  width: number;
  fill?: string;
  dash?: number[];
  /** Fill from the line to this end of the plot instead of to zero. */
  fillTo?: 'top' | 'bottom';
  /** Fill to zero in one colour above it and another below. */
  split?: { above: string; below: string };
}

export interface Plot {
  id: string;
  title: string;
  unit: string;
  height: number;
  digits: number;
  series: Line[];
  band?: string;
  /** Ends of the value axis for the values in sight. */
  scale: (low: number, high: number) => [number, number];
  columns: Num[][];
  signed: boolean;
}

/** A little room above and below; a flat line is put in the middle. */
export function padded(low: number, high: number, least: number): [number, number] {
  const span = Math.max(high - low, least);
  const middle = (low + high) / 2;
  return [middle - span * 0.56, middle + span * 0.56];
}

// Limits of a big rack lie far above what a house uses; drawn to scale they would flatten the curve. So a limit is
// brought into sight only when it is near: what is forbidden is shaded, and no shade means plenty of room.
const NEAR = 1.8;

/** End of the axis on one side, from the magnitudes of the flow and of its limit there. */
export function flowEnd(flow: Num[], limit: Num[], least: number): number {
  const flowTop = Math.max(least, ...flow.filter(known)) * 1.2;
  const nearest = Math.min(Infinity, ...limit.filter(known));
  return nearest * 1.15 <= flowTop * NEAR ? Math.max(flowTop, nearest * 1.15) : flowTop;
}

const negated = (values: Num[]): Num[] => values.map((v) => (v === null ? null : -v));

function flowPlot(c: Columns, quantity: Quantity, k: Colours): Plot {
  const inWatts = quantity === 'power';
  const toKw = (values: Num[]): Num[] => values.map((w) => (w === null ? null : w / 1000));
  const limit = (amps: Num[]): Num[] => (inWatts ? toKw(limitWatts(amps, c.voltage_v)) : amps);
  const up = limit(c.charge_current_limit_a);
  const down = negated(limit(c.discharge_current_limit_a));
  const flow = inWatts ? toKw(c.power_w) : c.current_a;
  const least = inWatts ? 0.5 : 10;
  const ends: [number, number] = [-flowEnd(negated(flow), negated(down), least), flowEnd(flow, up, least)];
  const edge = { stroke: k.limit, width: 1, dash: [4, 3], fill: k.forbidden };
  return {
    id: 'flow',
    title: inWatts ? 'Power' : 'Current',
    unit: inWatts ? 'kW' : 'A',
    height: 220,
    digits: inWatts ? 2 : 1,
    series: [
      { label: inWatts ? 'Power' : 'Current', stroke: k.flow, width: 1.75, split: { above: k.socFill, below: k.outFill } },
      { label: 'Charge limit', ...edge, fillTo: 'top' },
      { label: 'Discharge limit', ...edge, fillTo: 'bottom' },
    ],
    scale: () => ends,
    columns: [flow, up, down],
    signed: true,
  };
}

/** What is drawn: flow within its limits, charge, cells. */
export function plotsOf(c: Columns, quantity: Quantity, k: Colours): Plot[] {
  return [
    flowPlot(c, quantity, k),
    {
      id: 'soc',
      title: 'State of charge',
      unit: '%',
      height: 130,
      digits: 1,
      series: [{ label: 'SOC', stroke: k.soc, width: 1.75, fill: k.socFill }],
      scale: () => [0, 100],
      columns: [c.soc_pct],
      signed: false,
    },
    {
      id: 'cells',
      title: 'Cells',
      unit: 'V',
      height: 130,
      digits: 3,
      series: [
        { label: 'Highest', stroke: k.high, width: 1.5 },
        { label: 'Lowest', stroke: k.low, width: 1.5 },
      ],
      band: k.band,
      scale: (low, high) => padded(low, high, 0.02),
      columns: [c.cell_max_v, c.cell_min_v],
      signed: false,
    },
  ];
}

const AXIS_PX = 52;

export interface Frame {
  width: number;
  /** Both ends of the time axis, in seconds. */
  axisS: () => [number, number];
  showTime: boolean;
  /** Ends of the value axis: asked each time, because they follow the data. */
  scale: Plot['scale'];
  onCursor: (index: number | null) => void;
  /** A point of the time axis was picked. */
  onPick: (index: number) => void;
}

function axes(plot: Plot, k: Colours, frame: Frame): uPlot.Axis[] {
  const common = { stroke: k.text, font: k.font, grid: { stroke: k.grid, width: 1 }, ticks: { show: false } };
  const timeText = (_: uPlot, splits: number[]): string[] => splits.map((s) => timeTick(s * 1000));
  const valueText = (_: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] => {
    const digits = Math.min(3, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
    return splits.map((v) => (plot.signed ? signed(v, digits) : num(v, digits)));
  };
  return [
    { ...common, size: frame.showTime ? 28 : 8, space: 64, values: frame.showTime ? timeText : () => [], grid: { ...common.grid } },
    { ...common, size: AXIS_PX, gap: 6, space: 34, values: valueText },
  ];
}

/** A fill that changes colour at zero: a gradient with a hard edge where zero lies on the canvas. */
function splitFill(u: uPlot, above: string, below: string): CanvasGradient {
  const { top, height } = u.bbox;
  const edge = clamp((u.valToPos(0, 'y', true) - top) / height, 0, 1);
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, above);
  gradient.addColorStop(edge, above);
  gradient.addColorStop(edge, below);
  gradient.addColorStop(1, below);
  return gradient;
}

function lineOf({ fillTo, split, ...line }: Line): uPlot.Series {
  const series: uPlot.Series = { ...line, points: { show: false }, spanGaps: false };
  if (fillTo !== undefined) series.fillTo = (u) => (fillTo === 'top' ? u.scales.y?.max : u.scales.y?.min) ?? 0;
  if (split !== undefined) series.fill = (u) => splitFill(u, split.above, split.below);
  return series;
}

/** The options for one plot. The built-in legend is off: the page writes its own line, which screen readers can read. */
export function optionsOf(plot: Plot, k: Colours, frame: Frame): uPlot.Options {
  return {
    width: frame.width,
    height: plot.height + (frame.showTime ? 20 : 0),
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'onepack' }, drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: {
      x: { range: () => frame.axisS() },
      y: { range: (_u, low, high) => (Number.isFinite(low) && Number.isFinite(high) ? frame.scale(low, high) : frame.scale(0, 1)) },
    },
    axes: axes(plot, k, frame),
    series: [{}, ...plot.series.map(lineOf)],
    bands: plot.band === undefined ? [] : [{ series: [1, 2], fill: plot.band }],
    hooks: { ready: [(u) => u.over.addEventListener('click', () => typeof u.cursor.idx === 'number' && frame.onPick(u.cursor.idx))], setCursor: [(u) => frame.onCursor(u.cursor.idx ?? null)] },
  };
}

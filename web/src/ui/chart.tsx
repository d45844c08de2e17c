// SPDX-License-Identifier: Apache-2.0
// The last hours: history by request, continued with live values. uPlot draws; this file owns when it is made again
// (range, quantity, width or colour scheme changed) and when it only gets new data (each second).

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { timeMs, type Battery } from '../api';
import { getHistory } from '../client';
import { DASH, dateTime, num, signed } from '../lib/format';
import { append, askedTime, FIELDS, fromAnswer, RANGES, timeAxis, type Columns, type Range } from '../lib/history';
import { optionsOf, plotsOf, type Colours, type Plot, type Quantity } from '../lib/plots';
import { Section } from './bits';
import { MomentView } from './moment';
import '../style/chart.css';

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: token('--muted'),
    grid: token('--chart-grid'),
    flow: token('--chart-flow'),
    band: token('--chart-band'),
    limit: token('--chart-limit'),
    forbidden: token('--chart-forbidden'),
    soc: token('--charge'),
    socFill: token('--chart-in-fill'),
    outFill: token('--chart-out-fill'),
    high: token('--heat-high'),
    low: token('--heat-low'),
    font: `12px ${token('--font')}`,
  };
}

/** Colours of the current scheme, read again when the owner's system changes it. */
function useColours(): Colours {
  const [colours, setColours] = useState(readColours);
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const follow = (): void => setColours(readColours());
    scheme.addEventListener('change', follow);
    return () => scheme.removeEventListener('change', follow);
  }, []);
  return colours;
}

type Loaded = { columns: Columns; range: Range };

/** History of a range plus live values; null while it is being fetched. */
function useHistory(range: Range, battery: Battery | null, clockOffsetMs: number, epoch: number): [Columns | null, string] {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState('');
  const offset = useRef(clockOffsetMs);
  offset.current = clockOffsetMs;
  const ready = battery !== null;

  useEffect(() => {
    if (!ready) return undefined;
    let wanted = true;
    const to = Math.floor((Date.now() + offset.current) / 1000);
    getHistory(to - range.spanS, to, range.stepS, [...FIELDS]).then(
      (answer) => {
        if (wanted) setLoaded({ columns: fromAnswer(answer), range });
        setProblem('');
      },
      () => {
        if (wanted) setLoaded({ columns: fromAnswer({ from: 0, to: 0, step: range.stepS, fields: [], rows: [] }), range });
        setProblem('The history cannot be loaded; live values only.');
      },
    );
    return () => {
      wanted = false;
    };
  }, [range, epoch, ready]);

  useEffect(() => {
    if (battery === null) return;
    const t = timeMs(battery.time) / 1000;
    if (!Number.isFinite(t)) return;
    setLoaded((now) => (now === null || now.range !== range ? now : { range, columns: append(now.columns, battery, t, range) }));
  }, [battery?.time]);

  return [loaded !== null && loaded.range === range ? loaded.columns : null, problem];
}

function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (box.current === null) return undefined;
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return [box, width];
}

function Reading({ plot, index }: { plot: Plot; index: number | null }) {
  const text = (column: Plot['columns'][number]): string => {
    const value = column[index ?? column.length - 1] ?? null;
    if (value === null) return DASH;
    return plot.signed ? signed(value, plot.digits) : num(value, plot.digits);
  };
  return (
    <p class="plot-read">
      <span class="plot-title">
        {plot.title} <small>{plot.unit}</small>
      </span>
      {plot.series.map((one, at) => (
        <span key={one.label} class="plot-key">
          <i style={{ borderColor: one.stroke, borderTopStyle: one.dash ? 'dashed' : 'solid' }} />
          {one.label} <b>{text(plot.columns[at] ?? [])}</b>
        </span>
      ))}
    </p>
  );
}

interface CanvasProps {
  plot: Plot;
  times: number[];
  colours: Colours;
  width: number;
  range: Range;
  showTime: boolean;
  onCursor: (index: number | null) => void;
  onPick: (timeS: number) => void;
}

function Canvas({ plot, times, colours, width, range, showTime, onCursor, onPick }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const axis = useRef<[number, number]>([0, 0]);
  const scale = useRef(plot.scale);
  const data = [times, ...plot.columns] as uPlot.AlignedData;
  const timesNow = useRef(times);
  timesNow.current = times;
  scale.current = plot.scale;
  axis.current = timeAxis(times, times[times.length - 1] ?? Date.now() / 1000, range.spanS);

  useEffect(() => {
    if (box.current === null || width === 0) return undefined;
    const follow: Plot['scale'] = (low, high) => scale.current(low, high);
    const pick = (index: number): void => {
      const timeS = askedTime(timesNow.current, index, range.stepS);
      if (timeS !== undefined) onPick(timeS);
    };
    const frame = { width, axisS: () => axis.current, showTime, scale: follow, onCursor, onPick: pick };
    chart.current = new uPlot(optionsOf(plot, colours, frame), data, box.current);
    return () => {
      chart.current?.destroy();
      chart.current = null;
    };
  }, [width, range, colours, plot.title]);

  useEffect(() => {
    chart.current?.setData(data);
  }, [times]);

  return <div ref={box} class="plot" role="img" aria-label={`${plot.title} over the last ${range.label}`} style={{ height: `${plot.height + (showTime ? 20 : 0)}px` }} />;
}

interface ChoiceProps<T extends string> {
  name: string;
  options: { value: T; text: string }[];
  chosen: T;
  onChoose: (value: T) => void;
}

function Choice<T extends string>({ name, options, chosen, onChoose }: ChoiceProps<T>) {
  return (
    <div class="pick" role="group" aria-label={name}>
      {options.map(({ value, text }) => (
        <button key={value} type="button" aria-pressed={value === chosen} onClick={() => onChoose(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}

const QUANTITIES: { value: Quantity; text: string }[] = [
  { value: 'power', text: 'Power' },
  { value: 'current', text: 'Current' },
];

interface Props {
  battery: Battery | null;
  clockOffsetMs: number;
  epoch: number;
}

export function Chart({ battery, clockOffsetMs, epoch }: Props) {
  const [label, setLabel] = useState('6 h');
  const [quantity, setQuantity] = useState<Quantity>('power');
  const [index, setIndex] = useState<number | null>(null);
  const [picked, setPicked] = useState<number | null>(null);
  const [box, width] = useWidth();
  const colours = useColours();
  const range = RANGES.find((one) => one.label === label) ?? (RANGES[0] as Range);
  const [columns, problem] = useHistory(range, battery, clockOffsetMs, epoch);
  const plots = useMemo(() => (columns === null ? [] : plotsOf(columns, quantity, colours)), [columns, quantity, colours]);
  const at = index === null ? undefined : columns?.t[index];
  const aside = (
    <div class="chart-picks">
      <Choice name="Quantity" options={QUANTITIES} chosen={quantity} onChoose={setQuantity} />
      <Choice name="Time range" options={RANGES.map((one) => ({ value: one.label, text: one.label }))} chosen={label} onChoose={setLabel} />
    </div>
  );
  return (
    <Section id="history" title="History" class="chart-card" aside={aside}>
      <p class="hint chart-at">
        <span>{problem || (at === undefined ? 'Now' : dateTime(at * 1000))}</span>
        <button type="button" class="link" onClick={() => setPicked(askedTime(columns?.t ?? [], index ?? (columns?.t.length ?? 0) - 1, range.stepS) ?? null)}>
          Why these limits?
        </button>
        <span class="hint">or select a point in the chart</span>
      </p>
      {picked !== null && <MomentView at={picked} onClose={() => setPicked(null)} />}
      <div ref={box} class="plots" data-testid="chart">
        {plots.map((plot, number) => (
          <div key={plot.id}>
            <Reading plot={plot} index={index} />
            <Canvas plot={plot} times={columns?.t ?? []} colours={colours} width={width} range={range} showTime={number === plots.length - 1} onCursor={setIndex} onPick={setPicked} />
          </div>
        ))}
      </div>
    </Section>
  );
}

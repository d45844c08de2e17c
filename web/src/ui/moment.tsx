// SPDX-License-Identifier: Apache-2.0
// Why the limits were what they were at a moment that was picked in the chart.

import { useEffect, useState } from 'preact/hooks';
import type { DatedReason, LimitName, Moment, Num } from '../api';
import { getReasons, RequestError } from '../client';
import { clock, dateTime, DASH, floorTo, unit, words } from '../lib/format';

const LIMITS: { name: LimitName; title: string; key: 'charge_current_limit_a' | 'discharge_current_limit_a' | 'charge_voltage_limit_v' | 'discharge_voltage_limit_v'; digits: number; unitName: string }[] = [
  { name: 'charge_current', title: 'Charge current', key: 'charge_current_limit_a', digits: 1, unitName: 'A' },
  { name: 'discharge_current', title: 'Discharge current', key: 'discharge_current_limit_a', digits: 1, unitName: 'A' },
  { name: 'charge_voltage', title: 'Charge voltage', key: 'charge_voltage_limit_v', digits: 2, unitName: 'V' },
  { name: 'discharge_voltage', title: 'Discharge voltage', key: 'discharge_voltage_limit_v', digits: 2, unitName: 'V' },
];

function Then({ title, value, reason }: { title: string; value: string; reason: DatedReason | undefined }) {
  return (
    <li class="then">
      <h4>
        {title} <span>{value}</span>
      </h4>
      <p class="then-text">{reason?.text ?? DASH}</p>
      {reason?.runner_up && <p class="then-next">{reason.runner_up.text}</p>}
      {reason && (
        <p class="hint">
          {words(reason.rule)}, since {clock(reason.t * 1000)}
        </p>
      )}
    </li>
  );
}

/** The answer for a time in seconds; an empty text while it is on its way. */
function useMoment(at: number): [Moment | null, string] {
  const [moment, setMoment] = useState<Moment | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let wanted = true;
    setMoment(null);
    setProblem('');
    getReasons(at).then(
      (answer) => wanted && setMoment(answer),
      (error: unknown) => wanted && setProblem(error instanceof RequestError ? error.message : 'The gateway does not answer.'),
    );
    return () => {
      wanted = false;
    };
  }, [at]);
  return [moment, problem];
}

export function MomentView({ at, onClose }: { at: number; onClose: () => void }) {
  const [moment, problem] = useMoment(at);
  const values = moment?.values ?? null;
  const valueOf = (key: (typeof LIMITS)[number]['key']): Num => values?.[key] ?? null;
  return (
    <div class="moment" data-testid="moment" data-at={at} role="status">
      <div class="moment-head">
        <h3>Why, at {dateTime(at * 1000)}</h3>
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
      {problem && <p class="note">{problem}</p>}
      {moment !== null && values === null && <p class="note">The gateway was not running then, or it is too long ago.</p>}
      {moment !== null && values !== null && (
        <ul class="moment-limits">
          {LIMITS.map(({ name, title, key, digits, unitName }) => (
            <Then key={name} title={title} value={unit(floorTo(valueOf(key), digits), digits, unitName)} reason={moment.reasons.find((one) => one.limit === name)} />
          ))}
        </ul>
      )}
    </div>
  );
}

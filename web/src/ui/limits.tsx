// SPDX-License-Identifier: Apache-2.0
// The four limits and, for each, the sentence that explains it. The gateway decides and words the reasons; this file
// only orders them: the binding one first, the others behind it.

import type { Battery, ChargeStage, LimitName, Num, Reason, RunnerUp, Setting } from '../api';
import { DASH, floorTo, known, num, unit, words } from '../lib/format';
import { fraction } from '../lib/scale';
import { nameOf, settingsOf, valueText } from '../lib/settings';
import { PackLink, Section } from './bits';
import { KeysHere } from './settings';
import '../style/limits.css';

const STAGES: { stage: ChargeStage; text: string }[] = [
  { stage: 'bulk', text: 'Bulk' },
  { stage: 'absorption', text: 'Absorption' },
  { stage: 'float', text: 'Float' },
  { stage: 'done', text: 'Done' },
];

function Stages({ current }: { current: ChargeStage | null }) {
  return (
    <ol class="stages" aria-label="Charge stage">
      {STAGES.map(({ stage, text }) => (
        <li key={stage} class={stage === current ? 'stage stage-now' : 'stage'} aria-current={stage === current ? 'step' : undefined}>
          {text}
        </li>
      ))}
    </ol>
  );
}

interface WhyProps {
  limit: LimitName;
  reason: RunnerUp;
  settings: Setting[];
  onPack: (pack: number) => void;
}

function Why({ limit, reason, settings, onPack }: WhyProps) {
  return (
    <>
      <p class="why-text">{reason.text}</p>
      <p class="why-source">
        <span>{words(reason.rule)}</span>
        {settingsOf(settings, reason.rule, limit).map((one) => (
          <span key={one.key} class="why-key" title={one.meaning} data-rule-key={one.key}>
            {nameOf(one)} <b>{valueText(one)}</b>
          </span>
        ))}
        {known(reason.pack) && <PackLink pack={reason.pack} cell={reason.cell} onPack={onPack} />}
      </p>
    </>
  );
}

interface LimitProps {
  name: LimitName;
  title: string;
  value: Num;
  unitName: string;
  digits: number;
  used?: Num;
  blocked?: boolean;
  reasons: Reason[];
  settings: Setting[];
  onPack: (pack: number) => void;
}

/** What would limit next: the second question of whoever reads why. */
function Next(props: WhyProps) {
  return (
    <div class="why-next" data-testid="runner-up">
      <Why {...props} />
    </div>
  );
}

function Limit({ name, title, value, unitName, digits, used, blocked, reasons, settings, onPack }: LimitProps) {
  const [binding, ...others] = reasons.filter((reason) => reason.limit === name);
  const share = fraction(used ?? null, value);
  const common = { limit: name, settings, onPack };
  return (
    <li class={`limit limit-${name}${blocked ? ' limit-blocked' : ''}`} data-testid={`limit-${name}`}>
      <div class="limit-head">
        <h3>{title}</h3>
        <span class="limit-value">
          {num(floorTo(value, digits), digits)}
          <span class="limit-unit">{unitName}</span>
        </span>
      </div>
      {used !== undefined && (
        <div class="usage" role="img" aria-label={share === null ? 'Use unknown' : `${num(share * 100)} percent of the limit in use`}>
          <div class="usage-fill" style={{ width: `${(share ?? 0) * 100}%` }} />
        </div>
      )}
      <div class="why">
        {binding ? <Why {...common} reason={binding} /> : <p class="why-text">{DASH}</p>}
        {binding?.runner_up && <Next {...common} reason={binding.runner_up} />}
        {others.length > 0 && (
          <details>
            <summary>{others.length === 1 ? 'Next in line' : `${others.length} more in line`}</summary>
            {others.map((reason, index) => (
              <div key={index} class="why-other">
                <Why {...common} reason={reason} />
                <span class="why-value">{unit(reason.value, digits, unitName)}</span>
              </div>
            ))}
          </details>
        )}
      </div>
      <KeysHere settings={settings} place={name} />
    </li>
  );
}

function Blocked({ what, reason }: { what: string; reason: Reason | undefined }) {
  return (
    <p class="blocked" role="status" data-testid={`blocked-${what}`}>
      <strong>No {what}.</strong> {reason?.text ?? 'The gateway gives no reason.'}
    </p>
  );
}

function Requests({ battery: b }: { battery: Battery }) {
  const asks: string[] = [];
  if (b.force_charge === 'soft') asks.push('Charging is requested from the inverter.');
  if (b.force_charge === 'urgent') asks.push('Charging is requested from the inverter at once.');
  if (b.full_charge_request) asks.push('A full charge is requested.');
  return asks.length === 0 ? null : <p class="requests">{asks.join(' ')}</p>;
}

interface Props {
  battery: Battery | null;
  settings?: Setting[];
  onPack: (pack: number) => void;
}

export function LimitsView({ battery: b, settings = [], onPack }: Props) {
  const reasons = b?.reasons ?? [];
  const amps = b?.current_a ?? null;
  const noCharge = b !== null && (b.charge_allowed === false || b.charge_current_limit_a === 0);
  const noDischarge = b !== null && (b.discharge_allowed === false || b.discharge_current_limit_a === 0);
  const first = (name: LimitName): Reason | undefined => reasons.find((reason) => reason.limit === name);
  const common = { reasons, settings, onPack };
  return (
    <Section id="limits" title="Limits" class="limits-card" aside={<Stages current={b?.charge_stage ?? null} />}>
      {noCharge && <Blocked what="charging" reason={first('charge_current')} />}
      {noDischarge && <Blocked what="discharging" reason={first('discharge_current')} />}
      {b !== null && <Requests battery={b} />}
      <ul class="limits">
        <Limit {...common} name="charge_current" title="Charge current" value={b?.charge_current_limit_a ?? null} unitName="A" digits={1} used={known(amps) ? Math.max(0, amps) : null} blocked={noCharge} />
        <Limit {...common} name="discharge_current" title="Discharge current" value={b?.discharge_current_limit_a ?? null} unitName="A" digits={1} used={known(amps) ? Math.max(0, -amps) : null} blocked={noDischarge} />
        <Limit {...common} name="charge_voltage" title="Charge voltage" value={b?.charge_voltage_limit_v ?? null} unitName="V" digits={2} />
        <Limit {...common} name="discharge_voltage" title="Discharge voltage" value={b?.discharge_voltage_limit_v ?? null} unitName="V" digits={2} />
      </ul>
      <KeysHere settings={settings} place="limits" text="Settings that act on all limits" />
    </Section>
  );
}

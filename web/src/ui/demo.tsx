// SPDX-License-Identifier: Apache-2.0
// The demo panel: sun and load for the simulated rack, and a plug per pack. It appears only when the gateway says it
// runs a demo. Commands need a login; without one the button asks for it and the command is left to be pressed again.

import { useEffect, useState } from 'preact/hooks';
import type { Pack, Session } from '../api';
import { RequestError, sendDemo } from '../client';
import { num } from '../lib/format';
import { Section } from './bits';
import '../style/demo.css';

const MAX_W = 30000;
const STEP_W = 500;
// Nearer to zero than this the slider is at rest, which a thumb on a phone cannot otherwise hit.
const REST_W = 750;

const isOut = (pack: Pack): boolean => pack.state === 'lost' || pack.state === 'absent';

/** Plugs that were pressed and whose effect has not shown yet: a silent pack is only lost after a while. */
function usePending(packs: Pack[]): [Map<number, boolean>, (pack: number, out: boolean) => void] {
  const [pending, setPending] = useState<Map<number, boolean>>(new Map());
  useEffect(() => {
    const left = [...pending].filter(([number, out]) => {
      const pack = packs.find((one) => one.pack === number);
      return pack !== undefined && isOut(pack) !== out;
    });
    if (left.length !== pending.size) setPending(new Map(left));
  }, [packs]);
  return [pending, (pack, out) => setPending(new Map(pending).set(pack, out))];
}

interface PlugProps {
  pack: Pack;
  out: boolean;
  onPress: () => void;
}

function Plug({ pack, out, onPress }: PlugProps) {
  return (
    <button type="button" class="plug" aria-pressed={!out} onClick={onPress} data-plug={pack.pack} aria-label={`${out ? 'Plug in' : 'Unplug'} pack ${pack.pack}`}>
      <span class="plug-number">{pack.pack}</span>
      <span class="plug-state">{out ? 'out' : 'in'}</span>
    </button>
  );
}

const orderText = (watts: number): string => {
  if (watts === 0) return 'At rest';
  return watts > 0 ? `Sun, ${num(watts / 1000, 1)} kW` : `Load, ${num(-watts / 1000, 1)} kW`;
};

const commandOf = (watts: number): string => (watts < 0 ? `load ${-watts}` : watts > 0 ? `sun ${watts}` : 'load 0');

/** Sends commands; answers whether the gateway took one. */
function useOrders(session: Session, onLogin: () => void): [(command: string) => Promise<boolean>, string] {
  const [problem, setProblem] = useState('');
  async function order(command: string): Promise<boolean> {
    setProblem('');
    if (!session.authenticated) {
      onLogin();
      return false;
    }
    try {
      await sendDemo(command);
      return true;
    } catch (error) {
      if (error instanceof RequestError && error.status === 401) onLogin();
      else setProblem(error instanceof Error ? error.message : 'The gateway does not answer.');
      return false;
    }
  }
  return [order, problem];
}

function Power({ order }: { order: (command: string) => Promise<boolean> }) {
  const [watts, setWatts] = useState(0);
  const [automatic, setAutomatic] = useState(true);

  async function choose(raw: number): Promise<void> {
    const next = Math.abs(raw) < REST_W ? 0 : raw;
    if (!(await order(commandOf(next)))) return;
    setWatts(next);
    setAutomatic(false);
  }

  async function goAutomatic(): Promise<void> {
    if (!(await order('auto'))) return;
    setWatts(0);
    setAutomatic(true);
  }

  return (
    <div class="demo-power">
      <label for="demo-watts" class="demo-label">
        {automatic ? 'Automatic day' : orderText(watts)}
      </label>
      <div class="demo-slide">
        <span aria-hidden="true">Load</span>
        <input id="demo-watts" type="range" min={-MAX_W} max={MAX_W} step={STEP_W} value={watts} aria-valuetext={orderText(watts)} onChange={(event) => choose(Number(event.currentTarget.value))} />
        <span aria-hidden="true">Sun</span>
        <button type="button" class="button" aria-pressed={automatic} onClick={goAutomatic}>
          Automatic
        </button>
      </div>
    </div>
  );
}

interface Props {
  packs: Pack[];
  session: Session;
  onLogin: () => void;
}

export function Demo({ packs, session, onLogin }: Props) {
  const [pending, setPending] = usePending(packs);
  const [order, problem] = useOrders(session, onLogin);

  async function toggle(pack: Pack, out: boolean): Promise<void> {
    if (await order(`${out ? 'plug' : 'unplug'} ${pack.pack}`)) setPending(pack.pack, !out);
  }

  return (
    <Section id="demo" title="Demo" class="demo-card" aside={<span class="hint">A simulated rack: try it out</span>}>
      <div class="demo">
        <Power order={order} />
        <div class="plugs" role="group" aria-label="Unplug or plug in a pack">
          {packs.map((pack) => {
            const out = pending.get(pack.pack) ?? isOut(pack);
            return <Plug key={pack.pack} pack={pack} out={out} onPress={() => toggle(pack, out)} />;
          })}
        </div>
        <p class="problem" role="alert">
          {problem}
        </p>
      </div>
    </Section>
  );
}

// SPDX-License-Identifier: Apache-2.0
// The page: which sections there are and in which order. A section that breaks is replaced by a line of text and
// leaves the others alone.

import { Component, type ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Num } from './api';
import { floorTo, known, num } from './lib/format';
import { useGateway } from './store';
import { BatteryView } from './ui/battery';
import { Chart } from './ui/chart';
import { Demo } from './ui/demo';
import { Events } from './ui/events';
import { Header } from './ui/header';
import { HeatMapView } from './ui/heatmap';
import { Inverters } from './ui/inverters';
import { LimitsView } from './ui/limits';
import { Login } from './ui/login';
import { PackDetail } from './ui/packdetail';
import { Settings } from './ui/settings';
import { Stack } from './ui/stack';

class Guard extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ failed: true });
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <p class="card note">This section could not be drawn. Reload the page to try again.</p>;
  }
}

/** The pack whose details are open, kept in the address (`#pack-3`) so that it can be linked and left with Back. */
function useOpenPack(): [number | null, (pack: number | null) => void] {
  const read = (): number | null => {
    const match = /^#pack-(\d+)$/.exec(location.hash);
    return match === null ? null : Number(match[1]);
  };
  const [pack, setPack] = useState(read);
  useEffect(() => {
    const follow = (): void => setPack(read());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const open = (next: number | null): void => {
    if (next !== null) location.hash = `pack-${next}`;
    else {
      history.replaceState(null, '', location.pathname + location.search);
      setPack(null);
    }
  };
  return [pack, open];
}

/** The tab tells the state of charge, for those who keep it in the background. */
function useTitle(soc: Num | undefined): void {
  const title = known(soc) ? `${num(floorTo(soc, 0))} % · OnePack` : 'OnePack';
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export function App() {
  const gateway = useGateway();
  const { battery, session, settings, nowMs } = gateway;
  useTitle(battery?.soc_pct);
  const [openPack, setOpenPack] = useOpenPack();
  const [loginOpen, setLoginOpen] = useState(false);
  const shown = battery?.packs.find((pack) => pack.pack === openPack) ?? null;
  const askLogin = (): void => setLoginOpen(true);
  return (
    <>
      <Header link={gateway.link} session={session} onLogin={askLogin} onSession={gateway.reloadSession} />
      <main class={gateway.link.state === 'stale' ? 'page page-stale' : 'page'}>
        <div class="hero">
          <Guard>
            <BatteryView battery={battery} current={gateway.current} settings={settings} onPack={setOpenPack} />
          </Guard>
          <Guard>
            <LimitsView battery={battery} settings={settings} onPack={setOpenPack} />
          </Guard>
        </div>
        {session?.demo === true && (
          <Guard>
            <Demo packs={battery?.packs ?? []} session={session} onLogin={askLogin} />
          </Guard>
        )}
        <Guard>
          <Stack packs={battery?.packs ?? []} settings={settings} onPack={setOpenPack} />
        </Guard>
        <Guard>
          <Chart battery={battery} clockOffsetMs={gateway.clockOffsetMs} epoch={gateway.epoch} />
        </Guard>
        <Guard>
          <HeatMapView battery={battery} onPack={setOpenPack} />
        </Guard>
        <Guard>
          <Inverters inverters={gateway.inverters} />
        </Guard>
        <Guard>
          <Events events={gateway.events} nowMs={nowMs} onOlder={gateway.loadOlderEvents} />
        </Guard>
        {settings.length > 0 && (
          <Guard>
            <Settings settings={settings} />
          </Guard>
        )}
      </main>
      <footer class="foot">
        OnePack{session?.version ? ` ${session.version}` : ''} · <a href="./licenses.txt">Licences</a> ·{' '}
        <a href="/metrics">Metrics</a>
      </footer>
      {shown !== null && <PackDetail pack={shown} settings={settings} onClose={() => setOpenPack(null)} />}
      {loginOpen && (
        <Login session={session} onClose={() => setLoginOpen(false)} onDone={gateway.reloadSession} />
      )}
    </>
  );
}

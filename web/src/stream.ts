// SPDX-License-Identifier: Apache-2.0
// The event stream: opens it, hands on what arrives, opens it again when it breaks. The browser reconnects by itself
// after a short cut but gives up for good on an error answer (a gateway that is just starting), hence the own timer.

import { toBattery, type Battery, type GatewayEvent, type Inverter } from './api';

export interface StreamHandlers {
  onOpen: () => void;
  onBreak: () => void;
  onBattery: (battery: Battery) => void;
  onEvent: (event: GatewayEvent) => void;
  onInverters: (inverters: Inverter[]) => void;
}

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 15000;

/** Opens the stream and keeps it open; the answer closes it. */
export function openStream(path: string, on: StreamHandlers): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retryMs = RETRY_MIN_MS;

  function listen<T>(name: string, handle: (value: T) => void): void {
    source?.addEventListener(name, (message) => {
      handle(JSON.parse((message as MessageEvent<string>).data) as T);
    });
  }

  function open(): void {
    source = new EventSource(path);
    source.onopen = () => {
      retryMs = RETRY_MIN_MS;
      on.onOpen();
    };
    source.onerror = () => {
      on.onBreak();
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    };
    listen<Battery>('battery', (battery) => on.onBattery(toBattery(battery)));
    listen<GatewayEvent>('event', on.onEvent);
    listen<Inverter[]>('inverters', on.onInverters);
  }

  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

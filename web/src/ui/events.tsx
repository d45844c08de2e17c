// SPDX-License-Identifier: Apache-2.0
// What happened, newest first.

import { useState } from 'preact/hooks';
import { timeMs, type GatewayEvent, type Severity } from '../api';
import { ago, DASH, dateTime, known } from '../lib/format';
import { Chip, Section, type Tone } from './bits';
import '../style/events.css';

const SEVERITIES: Record<Severity, { text: string; tone: Tone }> = {
  info: { text: 'Info', tone: 'neutral' },
  warning: { text: 'Warning', tone: 'warning' },
  alarm: { text: 'Alarm', tone: 'alarm' },
};

const SHOWN_AT_FIRST = 8;

function Item({ event, nowMs }: { event: GatewayEvent; nowMs: number }) {
  const severity = SEVERITIES[event.severity] ?? SEVERITIES.info;
  const at = timeMs(event.time);
  return (
    <li class={`event event-${event.severity}`}>
      <Chip tone={severity.tone}>{severity.text}</Chip>
      <span class="event-text">{event.text}</span>
      <span class="event-pack">{known(event.pack) ? `Pack ${event.pack}` : ''}</span>
      <time class="event-time" dateTime={event.time ?? undefined}>
        <span>{ago((nowMs - at) / 1000)}</span>
        <small>{known(at) ? dateTime(at) : DASH}</small>
      </time>
    </li>
  );
}

interface Props {
  events: GatewayEvent[] | null;
  nowMs: number;
  onOlder: () => Promise<number>;
}

export function Events({ events, nowMs, onOlder }: Props) {
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  const [exhausted, setExhausted] = useState(false);
  const list = events ?? [];

  async function more(): Promise<void> {
    if (shown + 20 >= list.length && !exhausted) {
      const got = await onOlder().catch(() => -1);
      if (got === 0) setExhausted(true);
    }
    setShown(shown + 20);
  }

  const canMore = list.length > 0 && (shown < list.length || !exhausted);
  return (
    <Section id="events" title="Events">
      {events !== null && list.length === 0 && <p class="note">Nothing has happened yet.</p>}
      <ol class="events" data-testid="events">
        {list.slice(0, shown).map((event) => (
          <Item key={`${event.time} ${event.text}`} event={event} nowMs={nowMs} />
        ))}
      </ol>
      {canMore && (
        <button type="button" class="button events-more" onClick={more}>
          Show more
        </button>
      )}
    </Section>
  );
}

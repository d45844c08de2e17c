// SPDX-License-Identifier: Apache-2.0
// The bar on top: what this is, whether what it shows is live, and who is looking.

import type { Session } from '../api';
import { logout } from '../client';
import { clock } from '../lib/format';
import type { Link } from '../lib/freshness';
import '../style/header.css';

function linkText(link: Link): string {
  if (link.state === 'connecting') return 'Connecting';
  return link.state === 'live' ? 'Live' : `Stale since ${clock(link.sinceMs)}`;
}

interface Props {
  link: Link;
  session: Session | null;
  onLogin: () => void;
  onSession: () => Promise<void>;
}

export function Header({ link, session, onLogin, onSession }: Props) {
  async function leave(): Promise<void> {
    await logout().catch(() => undefined);
    await onSession().catch(() => undefined);
  }
  return (
    <header class="top">
      <h1 class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect class="brand-tile" width="32" height="32" rx="7" />
          <rect x="6" y="13" width="3.5" height="11" rx="1" />
          <rect x="11.2" y="9" width="3.5" height="15" rx="1" />
          <rect x="16.4" y="9" width="3.5" height="15" rx="1" />
          <rect x="21.6" y="11" width="3.5" height="13" rx="1" />
        </svg>
        OnePack
      </h1>
      {session?.gateway && <span class="brand-gateway">{session.gateway}</span>}
      <div class="top-side">
        <span class={`live live-${link.state}`} role="status" data-testid="link">
          {linkText(link)}
        </span>
        {session?.login_configured === true && (
          <button type="button" class="button" onClick={session.authenticated ? leave : onLogin}>
            {session.authenticated ? 'Log out' : 'Log in'}
          </button>
        )}
      </div>
    </header>
  );
}

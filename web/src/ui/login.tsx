// SPDX-License-Identifier: Apache-2.0
// Asks for the password, in a dialog.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Session } from '../api';
import { login, RequestError } from '../client';

interface Props {
  session: Session | null;
  onClose: () => void;
  onDone: () => Promise<void>;
}

function messageOf(error: unknown): string {
  if (error instanceof RequestError) return error.status === 401 ? 'That password is not right.' : error.message;
  return 'The gateway does not answer.';
}

export function Login({ session, onClose, onDone }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      await login(password);
      await onDone();
      dialog.current?.close();
    } catch (error) {
      setProblem(messageOf(error));
    }
    setBusy(false);
  }

  return (
    <dialog ref={dialog} class="dialog login" onClose={onClose} aria-labelledby="login-title">
      <form class="dialog-inner" onSubmit={submit}>
        <h2 id="login-title">Log in</h2>
        {session?.login_configured === false ? (
          <p class="note">No password is set on this gateway, so nothing can be changed from here.</p>
        ) : (
          <label class="field">
            Password
            <input type="password" name="password" autocomplete="current-password" autofocus required value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
          </label>
        )}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="button button-main" disabled={busy || session?.login_configured === false}>
            Log in
          </button>
        </div>
      </form>
    </dialog>
  );
}

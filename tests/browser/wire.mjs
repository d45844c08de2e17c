// SPDX-License-Identifier: Apache-2.0
// A TCP wire between the browser and the gateway that can be cut and mended, as a network does.

import { connect, createServer } from 'node:net';

/** Forwards a free local port to the host and port of `url`. */
export async function layWire(url) {
  const target = new URL(url);
  const ends = new Set();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return near.destroy();
    const far = connect(Number(target.port || 80), target.hostname);
    for (const [end, other] of [[near, far], [far, near]]) {
      ends.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        ends.delete(end);
        other.destroy();
      });
    }
    near.pipe(far);
    return far.pipe(near);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => ends.forEach((end) => end.destroy());
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    cut: () => {
      whole = false;
      drop();
    },
    mend: () => {
      whole = true;
    },
    close: () => {
      server.close();
      drop();
    },
  };
}

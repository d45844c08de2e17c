// SPDX-License-Identifier: Apache-2.0
// How the dashboard is built: one script, one stylesheet, one font, all from the same origin, so that the page
// works under `default-src 'self'`. Nothing is inlined as a data: address, which that policy would refuse.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

const bundled = ['preact', 'uplot', '@fontsource-variable/ibm-plex-sans'];

/** Puts the licence texts of what is bundled beside it, as those licences ask. */
function licences() {
  return {
    name: 'licences',
    generateBundle() {
      const text = bundled
        .map((name) => {
          const file = new URL(`node_modules/${name}/LICENSE`, import.meta.url);
          return `${name}\n\n${readFileSync(file, 'utf8').trim()}\n`;
        })
        .join(`\n${'-'.repeat(72)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: text });
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [licences()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: { target: 'es2020', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': process.env.ONEPACK_URL ?? 'http://127.0.0.1:8090' } },
  test: { environment: 'node', include: ['test/**/*.test.{ts,tsx}'] },
});

// SPDX-License-Identifier: Apache-2.0
// Starts the page.

import './style/tokens.css';
import './style/base.css';
import { render } from 'preact';
import { App } from './app';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);

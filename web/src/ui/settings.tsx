// SPDX-License-Identifier: Apache-2.0
// The settings of the battery, to be read: a few where they act, and all of them in one list.

import type { Setting } from '../api';
import { isChanged, nameOf, rangeText, settingsAt, valueText, type Place } from '../lib/settings';
import { Chip, Section } from './bits';
import '../style/settings.css';

interface HereProps {
  settings: Setting[];
  place: Place;
  text?: string;
}

/** The settings that act at this place, behind one line; nothing when there are none. */
export function KeysHere({ settings, place, text = 'Settings that act here' }: HereProps) {
  const here = settingsAt(settings, place);
  if (here.length === 0) return null;
  return (
    <details class="keys" data-place={place}>
      <summary>{text}</summary>
      <dl>
        {here.map((one) => (
          <div key={one.key} class="key" data-key={one.key}>
            <dt>{nameOf(one)}</dt>
            <dd>
              <b>{valueText(one)}</b> {one.meaning}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Row({ setting }: { setting: Setting }) {
  const changed = isChanged(setting);
  return (
    <tr class={changed ? 'setting setting-changed' : 'setting'} data-key={setting.key}>
      <th scope="row">
        <code>{setting.key}</code>
      </th>
      <td class="setting-value">
        {valueText(setting)} {changed && <Chip tone="discharge">changed</Chip>}
      </td>
      <td class="setting-meaning">
        {setting.meaning}
        <span class="sub">
          default {valueText(setting, setting.default)}; possible: {rangeText(setting)}
        </span>
      </td>
    </tr>
  );
}

/** All of them, in the groups of the documentation. */
export function Settings({ settings }: { settings: Setting[] }) {
  const groups = [...new Set(settings.map((one) => one.group))];
  const changed = settings.filter(isChanged).length;
  const aside = <span class="hint">{changed === 0 ? 'All at their defaults' : `${changed} changed from the default`}</span>;
  return (
    <Section id="settings" title="Settings" aside={aside}>
      <p class="hint">They are set under <code>battery:</code> in the gateway's configuration file and read at its start.</p>
      {groups.map((group) => (
        <details key={group} class="settings-group">
          <summary>{group}</summary>
          <table class="settings" data-testid="settings">
            <tbody>
              {settings
                .filter((one) => one.group === group)
                .map((one) => (
                  <Row key={one.key} setting={one} />
                ))}
            </tbody>
          </table>
        </details>
      ))}
    </Section>
  );
}

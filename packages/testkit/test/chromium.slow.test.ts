import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findChromium, startChromium } from '../src/index.ts';
import { shareChromium } from '../src/chromium.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passport-chromium-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hasNone = findChromium() === null;

(hasNone ? test.skip : test)(
  `a Chromium that is shared stays when one of its users closes it, and ends with whoever shared it${hasNone ? ' (skipped: no Chromium on the PATH)' : ''}`,
  async () => {
    const shared = await shareChromium(folder);
    const [one, other] = await Promise.all([startChromium(folder), startChromium(folder)]);
    const ofOther = await other.newContext();
    await one.close();
    const page = await ofOther.newPage();
    expect(await page.evaluate('1 + 1')).toBe(2);
    expect(other.contexts()).toHaveLength(1);

    await shared.close();
    expect(readdirSync(folder)).toEqual([]);
    expect(other.isConnected()).toBe(false);
  },
);

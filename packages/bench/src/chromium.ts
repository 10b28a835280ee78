import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { NotHere } from './scenario.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** No sandbox in containers, and nothing of Chromium's own business on the network. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Starts the Chromium of this machine. */
export function startChromium(): Promise<Browser> {
  const dirs = (process.env['PATH'] ?? '').split(delimiter);
  const executablePath = dirs.flatMap((dir) => NAMES.map((name) => join(dir, name))).find(isExecutable);
  if (executablePath === undefined) throw new NotHere('no Chromium is on the PATH');
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

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

/** The path of a Chromium on this machine, or null. */
export function findChromium(path = process.env['PATH'] ?? ''): string | null {
  const files = path.split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  return files.find(isExecutable) ?? null;
}

/** Starts Chromium; throws when the machine has none, see {@link findChromium}. */
export function startChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(`none of ${NAMES.join(', ')} is on the PATH`);
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

import type { Browser } from 'playwright-core';
import { findProgram } from './find-program.ts';
import { notInFastTests } from './start-process.ts';

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
export function findChromium(): string | null {
  return NAMES.map((name) => findProgram(name)).find((path) => path !== null) ?? null;
}

/** Starts Chromium; throws when the machine has none, see {@link findChromium}. */
export async function startChromium(): Promise<Browser> {
  notInFastTests('a browser');
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(`none of ${NAMES.join(', ')} is on the PATH`);
  const { chromium } = await import('playwright-core'); // most tests need none
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

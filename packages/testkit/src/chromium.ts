import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { findProgram } from './find-program.ts';
import { notInFastTests } from './start-process.ts';

/** First the one without windows, which takes half the processor time. */
const NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
];
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

/** In the temporary folder of a run: where the Chromium listens that all its files share. */
const SHARED = 'passport-chromium';

/**
 * The Chromium that is shared in `folder` ({@link shareChromium}), that of a run of all tests; or one of the caller's own: give each test a context, and close it.
 * Throws when the machine has none, see {@link findChromium}.
 */
export async function startChromium(folder = tmpdir()): Promise<Browser> {
  notInFastTests('a browser');
  const { chromium } = await import('playwright-core'); // most tests need none
  const shared = join(folder, SHARED);
  if (existsSync(shared)) return chromium.connect(readFileSync(shared, 'utf8'));
  return chromium.launch({ executablePath: pathOfChromium(), args: ARGUMENTS });
}

/** Starts one Chromium for all processes whose temporary folder is `folder`; it ends with what is returned, or with this process. */
export async function shareChromium(folder: string): Promise<{ close(): Promise<void> }> {
  const { chromium } = await import('playwright-core');
  const server = await chromium.launchServer({
    executablePath: pathOfChromium(),
    args: ARGUMENTS,
    // Whoever shares it ends it.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const endpoint = join(folder, SHARED);
  writeFileSync(endpoint, server.wsEndpoint());
  return {
    async close() {
      rmSync(endpoint);
      await server.close();
    },
  };
}

function pathOfChromium(): string {
  const path = findChromium();
  if (path === null) throw new Error(`none of ${NAMES.join(', ')} is on the PATH`);
  return path;
}

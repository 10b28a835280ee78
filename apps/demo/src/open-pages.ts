import { spawn } from 'node:child_process';

/** What opens an address in the browser of whoever sits there, by platform. */
const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open' };

/** Opens pages in the browser of this machine; where nothing can, says so, and the addresses are on the screen anyway. */
export function openPages(urls: readonly string[], say: (line: string) => void): void {
  const opener = OPENERS[process.platform];
  if (opener === undefined) return say('--open: no way to open a browser is known for this system');
  for (const url of urls) {
    const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
    child.once('error', () => say(`--open: ${opener} cannot be started; open ${url} yourself`));
    child.unref();
  }
}

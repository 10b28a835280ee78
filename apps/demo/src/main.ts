import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { checkDemo } from './check-demo.ts';
import type { DemoPorts } from './demo-libraries.ts';
import { openPages } from './open-pages.ts';
import { deskUrl, printWelcome } from './print-welcome.ts';
import { startDemo } from './start-demo.ts';

const USAGE = `npm run demo              starts three libraries, the receiver, a worker and the dashboard on this machine
npm run demo -- --open    the same, and opens riverside's desk and the dashboard in the browser
npm run demo -- --check   runs scripted scans through them and prints one JSON report
npm run demo -- --port midland=9091 --port receiver=9080
                          the same on other ports of 127.0.0.1: receiver, dashboard, midland, riverside, lakeside
npm run dev               the demo, with each service restarted when what it was compiled to changes
`;

/** Progress goes to standard error: standard output belongs to the report. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The demo, as `scripts/demo.mjs` and `scripts/dev.mjs` start it. Ends with the exit code in `process.exitCode`. */
export async function main(values: {
  readonly check?: boolean;
  readonly open?: boolean;
  readonly watch?: boolean;
  readonly help?: boolean;
  readonly choosePorts: () => Promise<DemoPorts>;
}): Promise<void> {
  if (values.help === true) return void process.stdout.write(USAGE);
  const startedAt = performance.now();
  const interrupted = onceInterrupted();
  const demo = await startDemo({
    root: fileURLToPath(new URL('../../../', import.meta.url)),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    node: process.execPath,
    watch: values.watch === true,
    choosePorts: values.choosePorts,
    pid: process.pid,
    randomBytes,
    say,
  });
  try {
    if (values.check === true) {
      const report = await Promise.race([checkDemo(demo, () => performance.now()), interrupted]);
      if (report === 'interrupted') throw new Error('The check was interrupted.');
      process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      process.exitCode = report.ok ? 0 : 1;
    } else {
      printWelcome(demo.file, Math.round(performance.now() - startedAt), say);
      if (values.open === true) openPages([deskUrl(demo.file), demo.file.dashboard.url], say);
      await interrupted;
      say('Stopping');
    }
  } finally {
    await demo.stop();
  }
}

/** Resolves at the first signal to stop. Later ones are ignored: npm and a terminal both pass on one Ctrl-C. */
function onceInterrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve('interrupted'));
    }
  });
}

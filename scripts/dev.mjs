// `npm run dev`: the demo, checked and bundled again whenever a source changes, with each
// service restarted on its new bundle.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot, say } from './run-command.mjs';
import { setUp } from './set-up.mjs';
import { choosePorts } from './demo-ports.mjs';

await setUp({ require: ['redis'], want: ['plugin-pages'], build: true });
watch(
  join(projectRoot, 'node_modules/.bin/tsc'),
  ['--build', '--watch', '--preserveWatchOutput'],
  projectRoot,
);
for (const app of ['receiver', 'worker', 'dashboard', 'cli']) {
  watch(
    process.execPath,
    [join(projectRoot, 'scripts/bundle.mjs'), '--watch'],
    join(projectRoot, 'apps', app),
  );
}
const { main } = await import('../apps/demo/dist/main.js');
await main({ watch: true, choosePorts: () => choosePorts([], say) });

/** Runs a compiler until this process ends, in a group of its own: it starts the program that does the work. */
function watch(command, args, cwd) {
  const compiler = spawn(command, args, {
    cwd,
    stdio: ['ignore', process.stderr, process.stderr],
    detached: true,
  });
  compiler.unref();
  process.once('exit', () => compiler.pid !== undefined && process.kill(-compiler.pid));
}

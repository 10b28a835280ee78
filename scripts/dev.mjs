// `npm run dev`: the demo, compiled again whenever a source changes, with each service restarted on what was compiled.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from './run-command.mjs';
import { setUp } from './set-up.mjs';

await setUp({ require: ['redis'], build: true });
const compiler = spawn(
  join(projectRoot, 'node_modules/.bin/tsc'),
  ['--build', '--watch', '--preserveWatchOutput'],
  // A group of its own: tsc starts the program that does the work.
  { cwd: projectRoot, stdio: ['ignore', process.stderr, process.stderr], detached: true },
);
compiler.unref();
process.once('exit', () => compiler.pid !== undefined && process.kill(-compiler.pid));
process.argv.push('--watch');
await import('../apps/demo/dist/main.js');

// `npm run demo [-- --check | --open]`: from a bare clone to a running consortium of three libraries.
import { parseArgs } from 'node:util';
import { choosePorts } from './demo-ports.mjs';
import { say } from './run-command.mjs';
import { setUp } from './set-up.mjs';

try {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean' },
      open: { type: 'boolean' },
      port: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  const choose = (report) => choosePorts(values.port ?? [], report);
  // What cannot be is said before anything is installed.
  await choose(() => undefined);
  await setUp({ require: ['redis'], want: ['plugin-pages'], build: true });
  const { main } = await import('../apps/demo/dist/main.js');
  await main({ ...values, choosePorts: () => choose(say) });
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

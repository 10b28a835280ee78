// `npm run check`: everything about a change that needs no running test; each part goes on when another fails.
import { reportVulnerabilities } from './audit.mjs';
import { runCommand } from './run-command.mjs';
import { setUp } from './set-up.mjs';

const PARTS = ['format', 'lint', 'types', 'unused', 'boundaries', 'documents'];

await setUp();
const turbo = [
  'run',
  ...PARTS.map((part) => `check:${part}`),
  '--ui=stream',
  '--output-logs=errors-only',
  '--continue',
];
const env = { TURBO_TELEMETRY_DISABLED: '1' };
const [{ code }] = await Promise.all([
  runCommand('node_modules/.bin/turbo', turbo, { show: true, env }),
  // What became known since yesterday is no fault of a change: it is only reported here, and fails in CI's own job.
  reportVulnerabilities(),
]);
process.exitCode = code;

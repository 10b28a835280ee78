// `npm test [-- FILES]`: from a bare clone to a tested one. The last line is `Tests: N passed, N failed, N skipped`.
import { runJest } from './run-jest.mjs';
import { runProve } from './run-prove.mjs';
import { say } from './run-command.mjs';
import { setUp } from './set-up.mjs';

const files = process.argv.slice(2);
const unmet = await setUp({
  require: ['redis'],
  want: ['perl', 'mariadb', 'plugin', 'browser', 'openssl', 'promtool', 'amtool', 'shells', 'kustomize'],
  build: true,
});

const testPlugin = async () => (unmet.has('perl') ? withoutPerl() : runProve());
const runs = await Promise.all(files.length > 0 ? [runJest(files)] : [runJest(files), testPlugin()]);

const skipped = runs.flatMap((run) => run.skipped);
const sum = (key) => runs.map((run) => run[key]).reduce((total, count) => total + count, 0);
for (const line of skipped) say(`skipped  ${line}`);
for (const file of runs.flatMap((run) => run.unsteady ?? [])) {
  say(`unsteady  ${file}: failed beside others, passed alone`);
}
console.log(`Tests: ${sum('passed')} passed, ${sum('failed')} failed, ${skipped.length} skipped`);
process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;

function withoutPerl() {
  return {
    passed: 0,
    failed: 0,
    skipped: ['apps/koha-plugin: Perl or a module of it is not on this machine'],
  };
}

import {
  type CheckedFile,
  checkedFile,
  configWarnings,
  dashboardConfig,
  effectiveConfig,
  receiverConfig,
  renderEffectiveConfig,
  workerConfig,
} from '@passport/config';
import { choice, defineCommand, flag } from '../../program/index.ts';

/** How each process reads its part. */
const READERS = { receiver: receiverConfig, worker: workerConfig, dashboard: dashboardConfig };
const PROCESSES = ['receiver', 'worker', 'dashboard'] as const;

const NOT_COMPARED = {
  path: 'users',
  warning:
    'not compared with the logins of the dashboard, and whether a proxy logs users in: DASHBOARD_USER is not set here',
  libraries: [],
};

export const configCheck = defineCommand({
  summary: 'validate the configuration',
  description:
    'Reads the file named by PASSPORT_CONFIG (default: passport.yaml) as all processes of the service do, with the secrets of each, and ' +
    'says whether it is valid. Reports all problems at once, with their location. With --print, prints the configuration with defaults applied and without secrets. ' +
    'Does not contact any Koha; use `doctor` for that.',
  examples: [
    'passport config check',
    'passport config check --print',
    'passport config check --process worker',
    "passport config check --json | jq '.config.agreements'",
  ],
  options: {
    process: choice('<name>', 'also check the environment of this process', PROCESSES),
    print: flag('print the configuration as it holds'),
  },
  run: ({ process, print }, _args, report, { env, readFile }) => {
    const read = process === undefined ? checkedFile : READERS[process];
    const config: Pick<CheckedFile, 'consortium'> & { isDashboardHere?: boolean } = read(env, readFile);
    const { consortium, isDashboardHere = true } = config;
    const isCompared = isDashboardHere || consortium.users.length === 0;
    const warnings = [...configWarnings(consortium), ...(isCompared ? [] : [NOT_COMPARED])];
    report.json({ ok: true, warnings, config: effectiveConfig(consortium) });
    if (print === true) report.data(renderEffectiveConfig(consortium).trimEnd());
    if (!report.isJson) {
      for (const { path, warning } of warnings) report.progress(`warning: ${path}: ${warning}`);
      const count = consortium.libraries.length;
      report.progress(
        `valid: ${count} ${count === 1 ? 'library' : 'libraries'}, ${consortium.agreements.count} agreements`,
      );
    }
    return 0;
  },
});

import { Option } from 'commander';
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
import type { CliDeps } from '../../program/cli-deps.ts';
import type { CommandDraft } from '../../program/command.ts';

const PROCESSES = ['receiver', 'worker', 'dashboard'] as const;
type ProcessName = (typeof PROCESSES)[number];

const NOT_COMPARED = {
  path: 'users',
  warning:
    'not compared with the logins of the dashboard, and whether a proxy logs users in: DASHBOARD_USER is not set here',
  libraries: [],
};

function load(
  { env, readFile }: CliDeps,
  process: ProcessName | undefined,
): Pick<CheckedFile, 'consortium'> & { readonly isDashboardHere?: boolean } {
  switch (process) {
    case undefined:
      return checkedFile(env, readFile);
    case 'receiver':
      return receiverConfig(env, readFile);
    case 'worker':
      return workerConfig(env, readFile);
    case 'dashboard':
      return dashboardConfig(env, readFile);
    default:
      return process satisfies never;
  }
}

export const configCheck: CommandDraft<{ process?: ProcessName }> = {
  name: 'check',
  summary: 'validate the configuration and print the effective values',
  description:
    'Reads the file named by PASSPORT_CONFIG (default: passport.yaml) as all processes of the service do, with the secrets of each, and ' +
    'prints the configuration with defaults applied and without secrets. Reports all problems at once, with their location. Does not contact any Koha; use `doctor` for that.',
  examples: [
    'passport config check',
    'PASSPORT_CONFIG=/etc/passport.yaml passport config check --process worker',
    "passport config check --json | jq '.config.agreements'",
  ],
  options: [
    new Option('--process <name>', 'also check the environment of this process').choices([...PROCESSES]),
  ],
  run: ({ process }, _args, report, deps) => {
    const { consortium, isDashboardHere = true } = load(deps, process);
    const isCompared = isDashboardHere || consortium.users.length === 0;
    const warnings = [...configWarnings(consortium), ...(isCompared ? [] : [NOT_COMPARED])];
    report.json({ ok: true, warnings, config: effectiveConfig(consortium) });
    report.line(renderEffectiveConfig(consortium).trimEnd());
    if (!report.isJson) {
      for (const { path, warning } of warnings) report.progress(`warning: ${path}: ${warning}`);
      const count = consortium.libraries.length;
      report.progress(
        `valid: ${count} ${count === 1 ? 'library' : 'libraries'}, ${consortium.agreements.count} agreements`,
      );
    }
    return 0;
  },
};

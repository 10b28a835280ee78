import { Option } from 'commander';
import {
  type Consortium,
  configWarnings,
  dashboardConfig,
  effectiveConfig,
  loadConsortium,
  receiverConfig,
  renderEffectiveConfig,
  workerConfig,
} from '@passport/config';
import type { CliDeps } from './cli-deps.ts';
import type { CommandDraft } from './command.ts';

const PROCESSES = ['receiver', 'worker', 'dashboard'] as const;
type ProcessName = (typeof PROCESSES)[number];

function load({ env, readFile }: CliDeps, process: ProcessName | undefined): Consortium {
  switch (process) {
    case undefined:
      return loadConsortium(env, readFile, ['koha', 'webhook', 'notify']);
    case 'receiver':
      return receiverConfig(env, readFile).consortium;
    case 'worker':
      return workerConfig(env, readFile).consortium;
    case 'dashboard':
      return dashboardConfig(env, readFile).consortium;
    default:
      return process satisfies never;
  }
}

export const configCheck: CommandDraft<{ process?: ProcessName }> = {
  name: 'check',
  summary: 'validate the configuration and print the effective values',
  description:
    'Reads the file named by PASSPORT_CONFIG (default: passport.yaml) as the service does, and prints the configuration with ' +
    'defaults applied and without secrets. Reports all problems at once, with their location. Does not contact any Koha; use `doctor` for that.',
  examples: [
    'passport config check',
    'PASSPORT_CONFIG=/etc/passport.yaml passport config check --process worker',
    "passport config check --json | jq '.config.agreements'",
  ],
  options: [
    new Option('--process <name>', 'also check the environment of this process').choices([...PROCESSES]),
  ],
  run: ({ process }, _args, report, deps) => {
    const consortium = load(deps, process);
    const warnings = configWarnings(consortium);
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

// `npm run audit`: known vulnerabilities of high or critical severity in what package-lock.json names, one line each; for CI,
// which fails where there are some, or where the registry does not answer.
import { runCommand, say } from './run-command.mjs';

/** The registry's own list: two seconds where it answers. */
const TIMEOUT_MS = 20_000;
const SEVERE = new Set(['high', 'critical']);

/** What `npm audit --json` has printed: a line for each package, or null where the registry did not answer. Pure. */
export function readAudit(output) {
  let report;
  try {
    report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1));
  } catch {
    return null;
  }
  if (report.vulnerabilities === undefined) return null;
  return Object.values(report.vulnerabilities)
    .filter(({ severity }) => SEVERE.has(severity))
    .map(({ name, severity, range, via }) => {
      const advisories = via.flatMap((each) => (typeof each === 'string' ? [] : [each.url]));
      return [`${name} ${range}: ${severity}`, ...advisories].join(' ');
    });
}

/** Says what is known, or in one line that nothing could be asked; returns whether nothing severe is known. */
export async function reportVulnerabilities() {
  const args = ['audit', '--json', '--package-lock-only', '--loglevel=silent'];
  const { output } = await runCommand('npm', args, { timeoutMs: TIMEOUT_MS });
  const found = readAudit(output);
  if (found === null)
    say('Vulnerabilities: not checked, the npm registry does not answer here (CI checks them)');
  for (const line of found ?? []) say(`Vulnerability: ${line}`);
  return found?.length === 0;
}

if (process.argv[1] === import.meta.filename && !(await reportVulnerabilities())) process.exitCode = 1;

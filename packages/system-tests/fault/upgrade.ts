import { type UpgradeOptions, runUpgrade } from './upgrade-run.ts';

/** Run by scripts/test-upgrade.mjs, which has built both versions: prints the report, and returns whether all was right. @public */
export async function testUpgrade(options: Omit<UpgradeOptions, 'log'>): Promise<boolean> {
  const log = (line: string): void => void process.stderr.write(`upgrade: ${line}\n`);
  const report = await runUpgrade({ ...options, log });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  for (const event of report.broken) log(`WRONG, lost, done twice or failed: ${event}`);
  return report.broken.length === 0;
}

import { parseArgs } from 'node:util';
import { readCommand, usage, type DoubleCommand } from './read-command.ts';
import { startKohaDouble, type KohaDouble } from './start-koha-double.ts';

const { values } = parseArgs({
  options: {
    library: { type: 'string', multiple: true },
    port: { type: 'string' },
    host: { type: 'string' },
    seed: { type: 'string' },
    release: { type: 'string' },
    latency: { type: 'string' },
    credentials: { type: 'string' },
    'no-plugin': { type: 'boolean' },
    receiver: { type: 'string' },
    'plugin-script': { type: 'string' },
    'plugin-pages': { type: 'string' },
    kpz: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help === true) {
  process.stdout.write(usage);
} else {
  const commands = readCommand(values, process.env);
  if (typeof commands === 'string') {
    process.stderr.write(`${commands}\n\n${usage}`);
    process.exitCode = 2;
  } else {
    await run(commands);
  }
}

/** Starts all, prints one JSON line each on standard output, and stops all on a signal. */
async function run(commands: readonly DoubleCommand[]): Promise<void> {
  const doubles: KohaDouble[] = [];
  for (const command of commands) {
    const double = await startKohaDouble(command);
    doubles.push(double);
    const { library, url, credentials } = double;
    const { clientId, clientSecret } = credentials;
    process.stdout.write(
      `${JSON.stringify({ library, url, client_id: clientId, client_secret: clientSecret })}\n`,
    );
  }
  const stop = (): void => {
    void Promise.all(doubles.map((double) => double.close()));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

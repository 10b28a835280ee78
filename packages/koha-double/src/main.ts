import { readCommand, usage } from './read-command.ts';
import { startKohaDouble, type KohaDoubleOptions } from './start-koha-double.ts';

const commands = readCommand(process.argv.slice(2), process.env);
if (commands === null) {
  process.stdout.write(usage);
} else if (typeof commands === 'string') {
  process.stderr.write(`${commands}\n\n${usage}`);
  process.exitCode = 2;
} else {
  await run(commands);
}

/** Starts all, prints one JSON line each on standard output, and stops all on a signal. */
async function run(all: readonly KohaDoubleOptions[]): Promise<void> {
  const doubles = await Promise.all(all.map(startKohaDouble));
  for (const { library, url, credentials } of doubles) {
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

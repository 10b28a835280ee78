import { runCommand, say } from '../run-command.mjs';

/**
 * A program that starts a container engine on a machine without one: `up IMAGE...` starts it with these base images,
 * `env` prints `export NAME=VALUE ...` for its clients, `down` ends it.
 */
const MAKER = process.env.MAKE_CONTAINER_ENGINE ?? '';

/**
 * Finds a container engine that `docker compose` can use and returns `{ env, stop }`: the environment that points to it,
 * and what ends an engine that was made for this run. Null where there is none.
 */
export async function findEngine() {
  if (await answers({})) return { env: {}, stop: async () => undefined };
  if (MAKER === '') return null;
  say('No container engine here: making one (about a minute)');
  const { code, output } = await runCommand(MAKER, ['up', 'node:24-slim', 'redis:8-alpine'], {
    timeoutMs: 600_000,
  });
  if (code !== 0) {
    say(output);
    throw new Error('the container engine could not be made');
  }
  const exported = await runCommand(MAKER, ['env']);
  const pairs = exported.output
    .replace(/^export /, '')
    .trim()
    .split(' ');
  const env = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  // It runs in this folder, and is of no use to anybody once that is gone.
  const stop = async () => void (await runCommand(MAKER, ['down']));
  if (await answers(env)) return { env, stop };
  await stop();
  return null;
}

async function answers(env) {
  const { code } = await runCommand('docker', ['compose', 'ls'], { env, timeoutMs: 20_000 });
  return code === 0;
}

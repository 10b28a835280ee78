import { join } from 'node:path';
import { runCommand, say } from '../run-command.mjs';

const BASE = 'node:24-slim';
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Why the images cannot be built on this machine, one line each. */
export async function imagesProblems() {
  const { code } = await runCommand('docker', ['buildx', 'inspect', '--bootstrap'], { timeoutMs: 120_000 });
  if (code === 0) return [];
  return [
    'no container engine with buildx is here: the images cannot be built (--no-images leaves them out)',
  ];
}

/**
 * Builds the images of `docker-bake.hcl` for both platforms. With `push` they go to the registry, otherwise as OCI archives into `folder`, where images.json
 * gets the digest of each in any case.
 */
export async function buildImages({ folder, version, revision, epoch, registry, push }) {
  const env = {
    NODE_IMAGE: process.env.NODE_IMAGE ?? `${BASE}@${await digestOfBase()}`,
    REGISTRY: registry,
    VERSION: version,
    REVISION: revision,
    CREATED: new Date(epoch * 1_000).toISOString(),
    SOURCE_DATE_EPOCH: String(epoch),
  };
  const archives = ['service', 'demo'].flatMap((target) => {
    const name = target === 'demo' ? 'patron-passport-demo' : 'patron-passport';
    return ['--set', `${target}.output=type=oci,dest=${join(folder, `${name}-${version}.oci.tar`)}`];
  });
  const { code } = await runCommand(
    'docker',
    [
      'buildx',
      'bake',
      '--file',
      'docker-bake.hcl',
      '--metadata-file',
      join(folder, 'images.json'),
      ...(push ? ['--push'] : archives),
    ],
    { env, show: true },
  );
  if (code !== 0) throw new Error(`docker buildx bake ended with ${code}`);
}

async function digestOfBase() {
  say(`Reading the digest of ${BASE} from its registry`);
  const args = ['buildx', 'imagetools', 'inspect', BASE, '--format', '{{ .Manifest.Digest }}'];
  const { code, output } = await runCommand('docker', args, { timeoutMs: 120_000 });
  const digest = output.trim();
  if (code === 0 && DIGEST.test(digest)) return digest;
  throw new Error(
    `the registry gave no digest of ${BASE}; set NODE_IMAGE=${BASE}@sha256:...\n${digest.slice(0, 400)}`,
  );
}

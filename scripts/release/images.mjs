import { join } from 'node:path';
import { runCommand } from '../run-command.mjs';

const BASE = 'node:24-slim';
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * What the images are built with: `{ base, problems }`, the base by its digest, and why they cannot be built on this machine, one line
 * each. A client answers some questions without an engine, so the engine itself is queried.
 */
export async function prepareImages() {
  const leaveOut = '(--no-images leaves them out)';
  for (const args of [
    ['version', '--format={{.Server.Version}}'],
    ['buildx', 'version'],
  ]) {
    const { code } = await runCommand('docker', args, { timeoutMs: 60_000 });
    if (code !== 0)
      return {
        problems: [`no container engine with buildx is here: the images cannot be built ${leaveOut}`],
      };
  }
  if (process.env.NODE_IMAGE !== undefined) return { base: process.env.NODE_IMAGE, problems: [] };
  const args = ['buildx', 'imagetools', 'inspect', BASE, '--format', '{{ .Manifest.Digest }}'];
  const { code, output } = await runCommand('docker', args, { timeoutMs: 120_000 });
  const digest = output.trim();
  if (code === 0 && DIGEST.test(digest)) return { base: `${BASE}@${digest}`, problems: [] };
  const said = digest.split('\n').at(-1).slice(0, 300);
  return {
    problems: [
      `the registry gave no digest of ${BASE}, set NODE_IMAGE=${BASE}@sha256:... ${leaveOut}: ${said}`,
    ],
  };
}

/**
 * Builds the images of `docker-bake.hcl` for both platforms. With `push` they go to the registry, otherwise as OCI archives into `folder`, where images.json
 * gets the digest of each in any case. Returns whether it succeeded; the engine has said why not.
 */
export async function buildImages({ folder, base, version, revision, epoch, registry, push }) {
  const env = {
    NODE_IMAGE: base,
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
  return code === 0;
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
}
interface CycloneDx {
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}
interface Spdx {
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly versionInfo: string;
    readonly homepage?: string;
    readonly packageFileName?: string;
  }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relatedSpdxElement: string;
    readonly relationshipType: string;
  }[];
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const APPS = ['receiver', 'worker', 'dashboard', 'cli'];
const OURS = [...APPS, 'koha-plugin'].map((name) => `patron-passport-${name}`);
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, { version?: string; integrity?: string }>>;
};

/** Of each package that is installed somewhere: `name@version` and the hash that npm verified. */
const locked = new Map(
  Object.entries(lock.packages).flatMap(([place, { version, integrity }]) => {
    const name = place.split('node_modules/').at(-1) ?? '';
    return integrity === undefined || version === undefined ? [] : [[`${name}@${version}`, integrity]];
  }),
);

let sboms: { readonly cyclonedx: CycloneDx; readonly spdx: Spdx };
beforeAll(() => {
  const code = `const { buildSboms } = await import('./scripts/release/sbom.mjs');
    const sboms = await buildSboms({ version: '1.2.3', epoch: 1795000000 });
    process.stdout.write(JSON.stringify(sboms));`;
  const args = ['--input-type=module', '--eval', code];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  expect(stderr).toBe('');
  sboms = JSON.parse(stdout) as typeof sboms;
}, 60_000);

describe('the list of what is shipped, as CycloneDX', () => {
  test('is valid, by the validator of the CycloneDX project', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5);
    expect(await validator.validate(JSON.stringify(sboms.cyclonedx))).toBeNull();
    const { metadata: _, ...broken } = { ...sboms.cyclonedx, components: [{ name: 'x' }] };
    expect(await validator.validate(JSON.stringify(broken))).not.toBeNull();
  });

  test('has each package that is in a bundle, in the version and with the hash that were installed', () => {
    const packages = sboms.cyclonedx.components.filter(({ name }) => !OURS.includes(name));
    expect(packages.length).toBeGreaterThan(100);
    for (const { name, version, hashes = [], purl } of packages) {
      const [algorithm = '', digest = ''] = locked.get(`${name}@${version}`)?.split('-') ?? [];
      const hex = Buffer.from(digest, 'base64').toString('hex');
      expect({ name, hashes }).toEqual({
        name,
        hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content: hex }],
      });
      expect(decodeURIComponent(purl)).toBe(`pkg:npm/${name}@${version}`);
    }
    // What the source map of a process says that it was made of.
    for (const app of APPS) {
      const file = join(ROOT, `apps/${app}/dist/main.js.map`);
      const { sources } = JSON.parse(readFileSync(file, 'utf8')) as { sources: readonly string[] };
      const named = new Set(
        sources.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
      );
      const listed = new Set(contentsOf(app).map((ref) => ref.replace(/@[^@]+$/, '')));
      expect([...named].filter((name) => !listed.has(name))).toEqual([]);
    }
  });

  test('has no package that only tests, benchmarks or stand-ins use', () => {
    const names = new Set(sboms.cyclonedx.components.map(({ name }) => name));
    for (const name of ['jest', 'typescript', 'esbuild', 'argparse', 'playwright-core', '@passport/bench'])
      expect(names.has(name)).toBe(false);
    for (const name of ['bullmq', 'ioredis', 'zod', 'fastify', '@bull-board/ui'])
      expect(names.has(name)).toBe(true);
  });

  test('says which process has which package', () => {
    const holders = (name: string) =>
      APPS.filter((app) => contentsOf(app).some((ref) => ref.startsWith(`${name}@`)));
    expect(holders('got')).toEqual(['worker', 'cli']);
    expect(holders('@bull-board/ui')).toEqual(['dashboard']);
    expect(holders('ioredis')).toEqual(APPS);
  });

  test('refers to nothing that it does not list, and names a licence for everything', () => {
    const { components, dependencies, metadata } = sboms.cyclonedx;
    const refs = components.map((component) => component['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    const known = new Set([...refs, metadata.component['bom-ref']]);
    for (const { ref, dependsOn } of dependencies)
      for (const each of [ref, ...dependsOn]) expect(known.has(each) ? '' : each).toBe('');
    for (const { name, licenses } of components) {
      const [first] = licenses;
      expect({ name, license: first?.license?.id ?? first?.expression }).toEqual({
        name,
        license: expect.any(String),
      });
    }
    expect(metadata).toMatchObject({
      timestamp: '2026-11-18T11:06:40Z',
      component: { name: 'patron-passport', version: '1.2.3' },
    });
    expect(components.find(({ name }) => name === 'patron-passport-koha-plugin')?.version).toBe('1.2.3');
  });

  function contentsOf(app: string): readonly string[] {
    const found = sboms.cyclonedx.dependencies.find(({ ref }) => ref === `patron-passport-${app}@1.2.3`);
    return found?.dependsOn ?? [];
  }
});

describe('the list of what is shipped, as SPDX', () => {
  // Clauses 6, 7 and 11, of the parts that ours has.
  test('has what SPDX 2.3 requires of a document, a package and a relationship', () => {
    const { packages, relationships, ...document } = sboms.spdx;
    expect(document).toEqual({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: 'patron-passport-1.2.3',
      // Absolute, without the character that separates it from an element's id.
      documentNamespace: expect.stringMatching(/^https:\/\/[^#\s]+$/),
      creationInfo: { created: '2026-11-18T11:06:40Z', creators: [expect.stringMatching(/^Tool: .+/)] },
    });
    for (const { homepage = 'https://none', packageFileName, ...each } of packages) {
      expect(homepage).toMatch(/^(https?|git\+https|git):\/\/\S+$/);
      expect(packageFileName).toBeUndefined();
      expect(each).toMatchObject({
        SPDXID: expect.stringMatching(/^SPDXRef-[A-Za-z0-9.-]+$/),
        name: expect.any(String),
        downloadLocation: expect.stringMatching(/^(NOASSERTION|(https?|git\+https):\/\/\S+)$/),
        // So there is no packageVerificationCode, and no list of files.
        filesAnalyzed: false,
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: expect.stringMatching(/^[A-Za-z0-9.+() -]+$/),
        copyrightText: 'NOASSERTION',
        externalRefs: [
          {
            referenceCategory: 'PACKAGE-MANAGER',
            referenceType: 'purl',
            referenceLocator: expect.stringMatching(/^pkg:(npm|generic)\/\S+@\S+$/),
          },
        ],
      });
    }
    const known = /^(DESCRIBES|CONTAINS|(DEV_|OPTIONAL_)?DEPENDENCY_OF|PREREQUISITE_FOR)$/;
    for (const { relationshipType } of relationships) expect(relationshipType).toMatch(known);
  });

  test('describes one thing, and relates only what it lists', () => {
    const ids = sboms.spdx.packages.map(({ SPDXID }) => SPDXID);
    expect(new Set(ids).size).toBe(ids.length);
    const known = new Set([...ids, 'SPDXRef-DOCUMENT']);
    for (const { spdxElementId, relatedSpdxElement } of sboms.spdx.relationships)
      for (const id of [spdxElementId, relatedSpdxElement]) expect(known.has(id) ? '' : id).toBe('');
    const described = sboms.spdx.relationships.filter(
      ({ relationshipType }) => relationshipType === 'DESCRIBES',
    );
    expect(described.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual([
      'SPDXRef-Package-patron-passport-1.2.3',
    ]);
    const contained = new Set(
      sboms.spdx.relationships
        .filter(({ relationshipType }) => relationshipType === 'CONTAINS')
        .map(({ relatedSpdxElement }) => relatedSpdxElement),
    );
    expect(ids.slice(1).filter((id) => !contained.has(id))).toEqual([]);
  });

  test('lists the same as the other', () => {
    const { components, metadata } = sboms.cyclonedx;
    const names = (list: readonly { name: string; version: string }[]) =>
      list.map(({ name, version }) => `${name}@${version}`).toSorted();
    const spdx = sboms.spdx.packages.map(({ name, versionInfo }) => ({ name, version: versionInfo }));
    expect(names(spdx)).toEqual(names([metadata.component, ...components]));
  });
});

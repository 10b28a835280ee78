import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../run-command.mjs';

const APPS = ['receiver', 'worker', 'dashboard', 'cli'];
const NAME = 'patron-passport';
const LICENSE = 'GPL-3.0-or-later';

/**
 * What is shipped as a CycloneDX and as an SPDX document, `{ cyclonedx, spdx }`: each process, the npm packages that its bundle
 * was made of, and the Koha plugin. npm describes the packages, and what depends on what; the bundler has recorded which of them it read
 * (`npm sbom --omit dev` misses packages that are also used by tests). `epoch` is the time of the release in seconds: the same build, time and npm give the same documents.
 */
export async function buildSboms({ version, epoch }) {
  const created = `${new Date(epoch * 1_000).toISOString().slice(0, -5)}Z`;
  const [ofCycloneDx, ofSpdx] = await Promise.all([npmSbom('cyclonedx'), npmSbom('spdx')]);
  const apps = APPS.map((app) => ({ app, packages: packagesIn(app) }));
  const shipped = new Set(apps.flatMap(({ packages }) => packages));
  const release = { version, created, apps, shipped };
  const cyclonedx = asCycloneDx(ofCycloneDx, release);
  const spdx = asSpdx(ofSpdx, release);
  return { cyclonedx, spdx };
}

async function npmSbom(format) {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['sbom', `--sbom-format=${format}`, '--sbom-type=application', '--loglevel=error'],
    { cwd: projectRoot, maxBuffer: 1e8 },
  );
  return JSON.parse(stdout);
}

/** `name@version` of each package that the bundler read for a process, from the titles of its list of licences. */
function packagesIn(app) {
  const list = readFileSync(join(projectRoot, `apps/${app}/dist/LICENSES.txt`), 'utf8');
  return list.split(/^-{80}\n/m).map((entry) => {
    const [, name, version] = /^(\S+) (\S+) \(/.exec(entry) ?? [];
    if (name === undefined) throw new Error(`no package is named in an entry of the licences of ${app}`);
    return `${name}@${version}`;
  });
}

function missing(found, shipped) {
  const names = new Set(found);
  const absent = [...shipped].filter((name) => !names.has(name));
  if (absent.length > 0) throw new Error(`npm sbom does not describe what is shipped: ${absent.join(', ')}`);
}

function asCycloneDx(npm, { version, created, apps, shipped }) {
  const ours = (name, itsVersion, type) => ({
    'bom-ref': `${name}@${itsVersion}`,
    type,
    name,
    version: itsVersion,
    licenses: [{ license: { id: LICENSE } }],
    purl: `pkg:generic/${name}@${itsVersion}`,
  });
  const kept = npm.components
    .filter((component) => shipped.has(component['bom-ref']))
    .map((component) => ({ ...component, scope: 'required', properties: [] }));
  missing(
    kept.map((component) => component['bom-ref']),
    shipped,
  );
  const processes = apps.map(({ app, packages }) => ({
    component: ours(`${NAME}-${app}`, version, 'application'),
    packages,
  }));
  const plugin = ours(`${NAME}-koha-plugin`, version, 'application');
  const root = ours(NAME, version, 'application');
  const parts = [...processes.map(({ component }) => component), plugin];
  const among = npm.dependencies
    .filter(({ ref }) => shipped.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((name) => shipped.has(name)) }));
  const content = {
    metadata: {
      timestamp: created,
      lifecycles: [{ phase: 'build' }],
      tools: npm.metadata.tools,
      component: root,
    },
    components: [...parts, ...kept],
    dependencies: [
      { ref: root['bom-ref'], dependsOn: parts.map((part) => part['bom-ref']) },
      ...processes.map(({ component, packages }) => ({ ref: component['bom-ref'], dependsOn: packages })),
      { ref: plugin['bom-ref'], dependsOn: [] },
      ...among,
    ],
  };
  const { $schema, bomFormat, specVersion } = npm;
  return {
    $schema,
    bomFormat,
    specVersion,
    serialNumber: `urn:uuid:${uuidOf(content)}`,
    version: 1,
    ...content,
  };
}

function asSpdx(npm, { version, created, apps, shipped }) {
  const unknown = { licenseConcluded: 'NOASSERTION', copyrightText: 'NOASSERTION' };
  const ours = (name, itsVersion) => ({
    name,
    SPDXID: `SPDXRef-Package-${name}-${itsVersion}`,
    versionInfo: itsVersion,
    primaryPackagePurpose: 'APPLICATION',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseDeclared: LICENSE,
    ...unknown,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:generic/${name}@${itsVersion}`,
      },
    ],
  });
  const nameOf = ({ name, versionInfo }) => `${name}@${versionInfo}`;
  const kept = npm.packages
    .filter((entry) => shipped.has(nameOf(entry)))
    .map((entry) => ({
      ...entry,
      // A place in node_modules, which no bundle has; and SPDX wants an address or nothing.
      packageFileName: undefined,
      homepage: entry.homepage === 'NOASSERTION' ? undefined : entry.homepage,
      ...unknown,
    }));
  missing(kept.map(nameOf), shipped);
  const ids = new Map(kept.map((entry) => [nameOf(entry), entry.SPDXID]));
  const known = new Set(ids.values());
  const root = ours(NAME, version);
  const plugin = ours(`${NAME}-koha-plugin`, version);
  const relate = (from, relationshipType, to) => ({
    spdxElementId: from,
    relatedSpdxElement: to,
    relationshipType,
  });
  const processes = apps.map(({ app, packages }) => ({ entry: ours(`${NAME}-${app}`, version), packages }));
  const content = {
    name: `${NAME}-${version}`,
    creationInfo: { created, creators: npm.creationInfo.creators },
    packages: [root, ...processes.map(({ entry }) => entry), plugin, ...kept],
    relationships: [
      relate('SPDXRef-DOCUMENT', 'DESCRIBES', root.SPDXID),
      ...processes.map(({ entry }) => relate(root.SPDXID, 'CONTAINS', entry.SPDXID)),
      relate(root.SPDXID, 'CONTAINS', plugin.SPDXID),
      ...processes.flatMap(({ entry, packages }) =>
        packages.map((name) => relate(entry.SPDXID, 'CONTAINS', ids.get(name))),
      ),
      ...npm.relationships.filter(
        ({ spdxElementId, relatedSpdxElement }) => known.has(spdxElementId) && known.has(relatedSpdxElement),
      ),
    ],
  };
  return {
    spdxVersion: npm.spdxVersion,
    dataLicense: npm.dataLicense,
    SPDXID: npm.SPDXID,
    documentNamespace: `https://spdx.org/spdxdocs/${NAME}-${version}-${uuidOf(content)}`,
    ...content,
  };
}

/** A UUID (version 8) of the content: a document that differs has another. */
function uuidOf(content) {
  const bytes = createHash('sha256').update(JSON.stringify(content)).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

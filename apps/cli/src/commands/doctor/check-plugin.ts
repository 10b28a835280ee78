import type { PluginAbout } from '@passport/koha-client';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, unchecked, warning } from './finding.ts';
import { attempt, faultOfFailure } from './koha-failure.ts';

/**
 * The oldest plugin that serves all the routes of the contract on Koha's own database: 1.0.0 answered 500 for every scan
 * whose state named a library with a letter beyond ASCII.
 */
const OLDEST_PLUGIN = '1.1.0';
/** A waiting desk page holds one web worker, and our own create needs another. */
const FEWEST_WORKERS = 2;

const numbers = (version: string): number[] =>
  version.split('.').map((part) => Number.parseInt(part, 10) || 0);

function isOlder(version: string, than: string): boolean {
  const [one, other] = [numbers(version), numbers(than)];
  const place = other.findIndex((number, index) => (one[index] ?? 0) !== number);
  return place !== -1 && (one[place] ?? 0) < (other[place] ?? 0);
}

/** What the plugin reports, or why it reports nothing. */
export async function readAbout(
  { koha, isLending }: Examinee,
  capabilities: Facts['capabilities'],
): Promise<{ about: PluginAbout | null; findings: Finding[] }> {
  if (!capabilities.pluginRoutes) return { about: null, findings: [] };
  const read = await attempt(koha.about());
  if ('value' in read) return { about: read.value, findings: [] };
  const findings = isLending
    ? [faultOfFailure(read.error, "for the plugin's account", 'borrowers: edit_borrowers')]
    : [];
  return { about: null, findings };
}

function checkMail({ about, capabilities }: Facts): Finding[] {
  if (capabilities.welcomeNo) return [];
  const remedy = "Administration → System preferences → AutoEmailNewUser: Don't send";
  if (about === null) {
    const problem =
      'in this release the welcome mail cannot be suppressed per patron; whether it is sent, only the plugin can report';
    return [unchecked('welcome_mail', problem, remedy)];
  }
  if (about.preferences['AutoEmailNewUser'] !== '1') return [];
  return [
    fault(
      'welcome_mail',
      'every copy gets a welcome mail (AutoEmailNewUser), and this release cannot suppress it per patron',
      remedy,
    ),
  ];
}

function checkInstalled({ library }: Examinee, { about, capabilities }: Facts): Finding[] {
  const { tellKoha } = library.retry;
  if (!capabilities.pluginRoutes) {
    if (!tellKoha) return [];
    const remedy =
      'Administration → Plugins → Upload plugin (the .kpz of this release), then koha-plack --restart; without the plugin set retry.tell_koha: false';
    return [fault('plugin_missing', "the plugin's routes do not exist, and retry.tell_koha is true", remedy)];
  }
  if (about !== null && isOlder(about.version, OLDEST_PLUGIN)) {
    const remedy =
      'Administration → Plugins → Upload plugin (the .kpz of this release), then koha-plack --restart';
    return [
      fault('plugin_old', `the plugin is ${about.version}, and at least ${OLDEST_PLUGIN} is needed`, remedy),
    ];
  }
  if (tellKoha) return [];
  const problem = 'the plugin is installed, but the desk gets no reports: retry.tell_koha is false';
  return [warning('plugin_not_told', problem, 'set retry.tell_koha: true')];
}

function checkWorkers({ about }: Facts): Finding[] {
  const workers = about?.plack_workers ?? null;
  if (workers === null || workers >= FEWEST_WORKERS) return [];
  const problem = `Koha has ${workers} web worker: while a desk page waits for a copy, the copy cannot be created`;
  const remedy = 'in koha-conf.xml set plack_workers to 2 or more, then koha-plack --restart';
  return [warning('few_workers', problem, remedy)];
}

/** The plugin itself, and what Koha does by itself at a copy. */
export function checkPlugin(examinee: Examinee, facts: Facts): Finding[] {
  return [...checkInstalled(examinee, facts), ...checkMail(facts), ...checkWorkers(facts)];
}

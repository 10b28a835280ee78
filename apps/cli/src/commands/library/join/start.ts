import { checkedFile, doctorConfig, joinConfig, startLibrary } from '@passport/config';
import { withQueueOf } from '../../../connect/with-queue.ts';
import { openAudit } from '../../../program/open-audit.ts';
import { defineCommand, Failure, findLibrary } from '../../../program/index.ts';
import { examineAll } from '../../doctor/doctor.ts';
import { takeOver } from './take-over.ts';

export const libraryStart = defineCommand({
  summary: 'let a library that observes make copies',
  description:
    'Examines the service and the Koha of the library as `doctor` does. Where there is no fault, `copy.mode: observe` of its entry in the configuration file becomes `copy`, and every process ' +
    'takes it over. Where there is one, says it and changes nothing; exit code 1.',
  examples: ['passport library start midland'],
  argument: ['<library>', 'its id'],
  run: async (_options, [id = ''], report, deps) => {
    const service = doctorConfig(deps.env, deps.readFile);
    const library = findLibrary(service.consortium, id);
    if (library.copy.mode !== 'observe')
      throw new Failure(`${id} does not observe: it makes copies already`, { code: 'started' });
    const { path } = joinConfig(deps.env, deps.readFile);
    const before = deps.readFile(path);
    const after = startLibrary(before, id);
    if (after === null)
      throw new Failure(
        `copy.mode: observe does not stand in the entry of ${id} in ${path}: set its copy.mode to copy there, then passport config reload`,
        { code: 'form' },
      );
    let examined: unknown;
    const quiet = {
      ...report,
      json(value: unknown) {
        examined = value;
      },
    };
    const hasFaults = (await examineAll(service, [library], [], quiet, deps)) === 1;
    if (hasFaults) {
      report.json({ library: id, started: false, doctor: examined });
      report.progress(`${id} goes on observing: nothing was changed`);
      return 1;
    }
    const reading = (name: string): string => (name === path ? after : deps.readFile(name));
    const { fileHash } = checkedFile(deps.env, reading);
    deps.changeFiles([{ path, before, after }]);
    openAudit(deps, 'join_start', 'library started by an operator')({ library: id, config: fileHash });
    report.line(`${id}: started, its copies are made from now on`);
    const loaded = await withQueueOf(joinConfig(deps.env, deps.readFile), (open) =>
      takeOver(open, fileHash, report, deps),
    );
    report.json({ library: id, started: true, loaded, doctor: examined });
    return loaded === false ? 1 : 0;
  },
});

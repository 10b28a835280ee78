import { summaryOf } from './describe-rehearsal.ts';
import { isGood, type Rehearsal } from './result.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const list = (texts: readonly string[]): string =>
  texts.length === 0 ? '' : `<ul>${texts.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #ccc}
.differs{color:#a40000;font-weight:600}.held{color:#0a5f2c}.not_tried{color:#555}code,pre{background:#f3f3f3;padding:.1rem .3rem;overflow-wrap:anywhere}`;

const WORDS = { held: 'held', differs: 'differs', not_tried: 'not tried' } as const;

/** The page of a rehearsal, for sending: one file that loads nothing and runs nothing. Pure. */
export function renderPage(rehearsal: Rehearsal): string {
  const { sites, scenarios, answers, cleanUp, times, version, at, run, command } = rehearsal;
  const siteRows = sites.map(
    ({ side, library, koha, plugin, comparedWith, isOwnRelease }) =>
      `<tr><td>${escaped(side)}</td><td>${escaped(library)}</td><td>${escaped(koha ?? 'unknown')}</td><td>${escaped(plugin ?? 'none')}</td><td>${escaped(comparedWith)}${isOwnRelease ? '' : ' (its own release is not known)'}</td></tr>`,
  );
  const scenarioRows = scenarios.map(
    ({ id, says, result, differences, remarks, why, scanMs }) =>
      `<tr><td><code>${escaped(id)}</code></td><td>${escaped(says)}${list(differences)}${list(remarks)}${why === null ? '' : `<br><em>${escaped(why)}</em>`}</td><td class="${result}">${WORDS[result]}</td><td>${scanMs.map((ms) => Math.round(ms)).join(', ')}</td></tr>`,
  );
  const answerRows = answers.map(
    ({ side, scenario, text }) => `${side}${scenario === null ? '' : `, ${scenario}`}: ${text}`,
  );
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Rehearsal ${escaped(run)}</title><style>${STYLE}</style></head><body>
<h1>Rehearsal of Patron Passport ${escaped(version)}</h1>
<p>${escaped(at)}, run ${escaped(run)}. <strong>${isGood(rehearsal) ? 'Everything that was tried held.' : 'Something differs.'}</strong> ${escaped(summaryOf(rehearsal))}.</p>
<p>Everybody in it is invented. It holds no name, card, address, password or key of anybody.</p>
<h2>Kohas</h2><table><tr><th>part</th><th>library</th><th>Koha</th><th>plugin</th><th>compared with the stand-in of</th></tr>${siteRows.join('')}</table>
<h2>Scenarios</h2><table><tr><th>id</th><th>what is expected</th><th>result</th><th>ms of each scan</th></tr>${scenarioRows.join('')}</table>
<h2>Answers that are unlike the stand-in's</h2>${answerRows.length === 0 ? '<p>None.</p>' : list(answerRows)}
<h2>Times</h2><pre>${escaped(JSON.stringify(times, null, 2))}</pre>
<h2>Clean-up</h2><p>${cleanUp.removed} removed.</p>${list(cleanUp.leftAlone.map((left) => `left alone: ${left}`))}${list(cleanUp.stuck.map((left) => `could not be removed: ${left}`))}
<h2>To repeat it</h2><pre>${escaped(command)}</pre>
</body></html>
`;
}

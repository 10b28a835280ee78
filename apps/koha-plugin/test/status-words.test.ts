import { spawnSync } from 'node:child_process';
import { stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { FAILURES, PROBLEMS } from '@passport/contract';
import { LAKESIDE, LANGUAGES, MIDLAND, RIVERSIDE, aState } from './a-state.ts';
import { MESSAGES, loadDesk } from './load-desk.ts';

const desk = await loadDesk();
const FOLDER = fileURLToPath(new URL('..', import.meta.url));
/** Says each event of standard input as the status page does, one sentence each. */
const PROGRAM = `
use Modern::Perl;
use Mojo::JSON qw( decode_json encode_json );
use Mojo::File qw( path );
use Koha::Plugin::Org::PatronPassport::OutcomeWords qw( new_words );
my $given = decode_json( do { local $/ = undef; <STDIN> } );
my $messages = decode_json( path('Koha/Plugin/Org/PatronPassport/desk/messages.json')->slurp );
my $words = new_words( { language => $given->{language}, desk => $messages->{ $given->{language} }, page => {} } );
print encode_json( [ map { $words->sentence( $_, 'riverside' ) } @{ $given->{events} } ] );
`;
const perl = (input: string) =>
  spawnSync('perl', ['-I.', '-It/lib', '-e', PROGRAM], { cwd: FOLDER, input, encoding: 'utf8' });

const isPerlHere = perl('{"language":"en","events":[]}').status === 0;
if (!isPerlHere) stderr.write('Skipped: the words of the status page (Perl or a module is not here)\n');

const EVENTS = [
  ...FAILURES.flatMap((outcome) =>
    [[MIDLAND], [MIDLAND, LAKESIDE], [MIDLAND, LAKESIDE, RIVERSIDE]].map((homes) => ({ outcome, homes })),
  ),
  ...(['HOME_UNREACHABLE', 'TOO_LATE'] as const).map((outcome) => ({
    outcome,
    homes: [MIDLAND],
    reasons: ['PAUSED' as const],
  })),
  ...PROBLEMS.flatMap((what) =>
    [null, 'PT'].map((name) => ({
      outcome: 'MISCONFIGURED' as const,
      homes: [MIDLAND],
      problem: { library: what === 'credentials' ? 'midland' : 'riverside', what, name },
    })),
  ),
].map((change) => aState({ state: 'failed', ...change }));

describe('a failed scan is the same sentence on the status page and at the desk', () => {
  (isPerlHere ? test.each : test.skip.each)(LANGUAGES)('in %s', (language) => {
    const t = desk.createWords(MESSAGES, language);
    const { stdout } = perl(JSON.stringify({ language, events: EVENTS }));
    const sentences = JSON.parse(stdout) as string[];
    expect(sentences).toHaveLength(EVENTS.length);
    for (const [place, state] of EVENTS.entries()) {
      const { headline, advice } = desk.describe({ state, followedMs: 0, now: 0 }, t, language);
      const sentence = sentences[place] ?? '';
      expect(sentence.slice(0, headline.length)).toBe(headline);
      expect(advice.endsWith(sentence.slice(headline.length))).toBe(true);
    }
  });
});

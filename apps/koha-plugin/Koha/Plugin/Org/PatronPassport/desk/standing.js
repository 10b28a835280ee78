/** How often the page asks while the check of this visit runs, and for how long at most. */
const SOON_MS = 500;
const LATER_MS = 3000;
const SOON_FOR_MS = 10000;
const FOLLOWED_MS = 60000;

/** After how many milliseconds to ask again, so long after the page came; null: no more. The check that runs is waited for, and no other. */
export function nextStandingMs(standing, followedMs) {
  if (!standing.is_checking || followedMs >= FOLLOWED_MS) return null;
  return followedMs < SOON_FOR_MS ? SOON_MS : LATER_MS;
}

const UNITS = [
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
];

/** `2 minutes ago`, in the language of the words. */
export function ageOf(seconds, language) {
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) || ['second', Infinity];
  return words.format(-Math.floor(seconds / length) || 0, unit);
}

/** What the line says of a copy's standing: {tone, text, advice}. `passedMs`: since that was sent. */
export function describeStanding(standing, passedMs, t, language) {
  const home = standing.home_name;
  const when = ageOf(standing.checked_s + Math.floor(passedMs / 1000), language);
  const checking = standing.is_checking ? ` ${t('standing.checking')}` : '';
  const tone = standing.is_good ? 'good' : 'bad';
  if (standing.is_good) return { tone, text: t('standing.good', { home, when }) + checking, advice: '' };
  const reasons = standing.reasons.map((code) => t(`reason.${code}`) || code).join(', ');
  const text = reasons ? t('standing.bad', { home, when, reasons }) : t('standing.bad.bare', { home, when });
  return { tone, text: text + checking, advice: t('standing.advice', { home }) };
}

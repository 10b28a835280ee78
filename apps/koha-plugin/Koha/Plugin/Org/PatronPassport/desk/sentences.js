import { cancelEnd, checkoutOf } from './scan-state.js';

/** Which libraries hold it up and until when, as a sentence; while it waits for homes, they are the state's. */
export function waitingSentence(state, t, language, now) {
  const held = state.waiting_for;
  if (!held) return t('now.waiting');
  if (held.reason === 'CONSENT' || held.reason === 'HOME_CHOICE')
    return t(`now.waiting.${held.reason}`, { library: namesIn(state, t, language).home });
  if (held.reason === 'OVERRIDE')
    return outcomeSentences({ ...state, outcome: 'NOT_ELIGIBLE' }, t, language).headline;
  const names = homeNames(state);
  const isNamed = names.length > 0 && held.library !== state.library;
  const library = isNamed ? listed(names, language) : nameOf(held.library, state);
  const at = Date.parse(held.next_try_at || '');
  const isPaused = held.reason === 'PAUSED';
  const until = isPaused ? minuteIn(at, language, now) : '';
  const when =
    at > now && !isPaused
      ? t('when', { time: new Date(at).toLocaleTimeString(language, { timeStyle: 'medium' }) })
      : '';
  const sentence = t(`now.waiting.${held.reason}`, { library, until }) || t('now.waiting');
  return when ? `${sentence} ${when}` : sentence;
}

/** A time to the minute, with the day where it is another one: "14:05". */
export function minuteIn(at, language, now) {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return new Date(at).toLocaleString(language, {
    ...(isToday ? {} : { dateStyle: 'medium' }),
    timeStyle: 'short',
  });
}

/** The outcome in plain words, and what to do now. */
export function outcomeSentences(state, t, language) {
  const outcome = state.outcome;
  const codes = (state.reasons || []).map((code) => t(`reason.${code}`)).filter(Boolean);
  const category = (state.observed && state.observed.category) || '';
  const isBare =
    (outcome === 'NOT_ELIGIBLE' && codes.length === 0) || (outcome === 'OBSERVED' && category === '');
  const key = outcomeKey(state, isBare);
  const values = { ...namesIn(state, t, language), reasons: listed(codes, language), category };
  const special = `.${specialOf(state)}`;
  const headline = t(`${key}${special}`, values) || t(key, values) || state.message || t('outcome.other');
  const advised = t(`advice.${outcome}${special}`, values) || t(`advice.${outcome}`, values);
  const advice = [advised, problemSentence(state, t)].filter(Boolean).join(' ');
  return { headline, advice };
}

/** What nobody can settle at home. */
const RULES = ['UNDER_AGE', 'CATEGORY_NOT_ELIGIBLE'];

/** What makes an outcome a case of its own, with words of its own where there are some. */
function specialOf({ reasons, problem }) {
  if ((reasons || []).includes('PAUSED')) return 'PAUSED';
  if ((reasons || []).some((reason) => RULES.includes(reason))) return 'RULE';
  return (problem || {}).what;
}

function outcomeKey(state, isBare) {
  if (state.outcome === 'CANCELLED') return `cancel.${cancelEnd(state)}`;
  return isBare ? `outcome.${state.outcome}.bare` : `outcome.${state.outcome}`;
}

/** Where the patron is although the item is still on the desk. */
export function hereSentence(state, t, language) {
  return t(`here.${state.outcome}`, namesIn(state, t, language)) || '';
}

/** The result for the item, and what to do about it. */
export function checkoutSentences(state, t, language) {
  const checkout = checkoutOf(state) || 'other';
  const keys = ((state.checkout && state.checkout.keys) || []).map((key) => t(`key.${key}`) || key);
  const values = { keys: listed(keys, language) };
  const key = keys.length > 0 ? `checkout.${checkout}.keys` : `checkout.${checkout}`;
  return {
    headline: t(key, values) || t(`checkout.${checkout}`) || t('checkout.other'),
    advice: t(`checkout.${checkout}.advice`) || '',
  };
}

/** Names for the blanks of a sentence. What is not set up correctly may be another library than this one. */
function namesIn(state, t, language) {
  const names = homeNames(state);
  const home = names.length > 0 ? listed(names, language) : t('home.unknown');
  const { library } = state.problem || state;
  return { home, homes: home, library: nameOf(library || state.library, state) };
}

function problemSentence(state, t) {
  const problem = state.problem;
  if (!problem) return '';
  const what = t(`problem.${problem.what}`) || t('problem.other');
  const where = nameOf(problem.library, state);
  return `${where}: ${problem.name ? `${what} (${problem.name})` : what}.`;
}

/** "A, B and C", as the language has it. */
function listed(names, language) {
  try {
    return new Intl.ListFormat(language, { type: 'conjunction' }).format(names);
  } catch {
    return names.join(', ');
  }
}

/** A library's full name as the service reported it, or its id in readable form. */
function nameOf(id, state) {
  const known = [...(state.homes || []), ...(state.libraries || [])].find((library) => library.id === id);
  if (known && known.name) return known.name;
  const words = String(id || '').replace(/[-_]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The names of the homes that are known so far. */
function homeNames(state) {
  return (state.homes || []).map((home) => home.name || nameOf(home.id, state));
}

import { isFinal, isHere, isLent, opensByItself } from './scan-state.js';
import { loanSentences, verdictOf, waitingSentence } from './sentences.js';
import { stepsOf } from './steps.js';

/** Verdicts that another report of the same card may change. */
const WORTH_ANOTHER_TRY = [
  'HOME_UNREACHABLE',
  'LENDING_UNREACHABLE',
  'LENDING_REFUSED',
  'MISCONFIGURED',
  'TOO_LATE',
];

/**
 * Everything that the panel shows, decided from what is known: {state, fault, isOver, withItem, followedMs, now}.
 */
export function describe(view, t, language) {
  const steps = stepsOf(view);
  if (view.fault && (view.isOver || !view.state)) return { steps, ...describeFault(view, t) };
  if (!view.state || !isFinal(view.state)) return { steps, ...describeWait(view, t, language) };
  return { steps, ...describeVerdict(view.state, t, language) };
}

function describeFault(view, t) {
  const isOver = Boolean(view.isOver);
  return {
    tone: isOver ? 'bad' : 'wait',
    verdict: t(isOver ? `fault.${view.fault}` : `fault.${view.fault}.again`) || t('fault.unreachable'),
    advice: isOver ? t(`fault.${view.fault}.advice`) || '' : '',
    canTryAgain: isOver && view.fault !== 'not_a_card' && view.fault !== 'session',
    canOpen: false,
    takesItem: !isOver && !view.withItem,
  };
}

function describeWait(view, t, language) {
  const state = view.state;
  let verdict = t('now.reporting');
  if (state) verdict = t(view.followedMs > 4000 ? 'now.slow' : 'now.searching');
  if (state && state.state === 'waiting') verdict = waitingSentence(state, t, language, view.now);
  if (view.fault) verdict = t(`fault.${view.fault}.again`) || verdict;
  return {
    tone: 'wait',
    verdict,
    advice: view.withItem ? t('item.waiting') : '',
    canTryAgain: false,
    canOpen: false,
    takesItem: !view.withItem,
  };
}

function describeVerdict(state, t, language) {
  const found = verdictOf(state, t, language);
  const loan = loanSentences(state, t, language);
  const isGood = opensByItself(state);
  const isNotLent = isHere(state) && !isGood;
  return {
    tone: isGood ? 'good' : isNotLent ? 'partly' : 'bad',
    verdict: isLent(state) ? loan.verdict : found.verdict,
    advice: isNotLent ? [loan.verdict, loan.advice].filter(Boolean).join(' ') : isGood ? '' : found.advice,
    canTryAgain: WORTH_ANOTHER_TRY.includes(state.outcome),
    canOpen: isHere(state),
    takesItem: false,
  };
}

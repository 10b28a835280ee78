import { isFinal, isHere, isCheckedOut, opensByItself } from './scan-state.js';
import { checkoutSentences, outcomeSentences, waitingSentence } from './sentences.js';
import { cancelledSteps, stepsOf } from './steps.js';

/** Outcomes that another report of the same card may change. */
const WORTH_ANOTHER_TRY = [
  'HOME_UNREACHABLE',
  'LENDING_UNREACHABLE',
  'LENDING_REFUSED',
  'MISCONFIGURED',
  'TOO_LATE',
];

/**
 * Everything that the panel shows, decided from what is known: {state, fault, isOver, withItem, followedMs, now,
 * cancel}.
 */
export function describe(view, t, language) {
  if (view.cancel) return describeCancel(view, t);
  const steps = stepsOf(view);
  if (view.fault && (view.isOver || !view.state)) return { steps, ...describeFault(view, t) };
  if (!view.state || !isFinal(view.state)) return { steps, ...describeWait(view, t, language) };
  return { steps, ...describeOutcome(view.state, t, language) };
}

/** What a cancel is coming to: only these are not over yet. */
const CANCELLING = ['pending', 'stopped'];
const CANCEL_TONES = {
  nothing: 'wait',
  sent: 'partly',
  copied: 'partly',
  checked_out: 'partly',
  failed: 'bad',
};

function describeCancel(view, t) {
  const { cancel, state } = view;
  const isOver = !CANCELLING.includes(cancel);
  return {
    steps: isOver && cancel !== 'failed' ? { ...stepsOf(view), ...cancelledSteps(cancel) } : stepsOf(view),
    tone: CANCEL_TONES[cancel] || 'wait',
    headline: t(`cancel.${cancel}`),
    advice: t(`cancel.${cancel}.advice`) || '',
    canTryAgain: false,
    canOpen: Boolean(cancel === 'checked_out' && state && state.patron_id),
    takesItem: false,
  };
}

function describeFault(view, t) {
  const isOver = Boolean(view.isOver);
  return {
    tone: isOver ? 'bad' : 'wait',
    headline: t(isOver ? `fault.${view.fault}` : `fault.${view.fault}.again`) || t('fault.unreachable'),
    advice: isOver ? t(`fault.${view.fault}.advice`) || '' : '',
    canTryAgain: isOver && view.fault !== 'not_a_card' && view.fault !== 'session',
    canOpen: false,
    takesItem: !isOver && !view.withItem,
  };
}

function describeWait(view, t, language) {
  const state = view.state;
  let headline = t('now.reporting');
  if (state) headline = t(view.followedMs > 4000 ? 'now.slow' : 'now.searching');
  if (state && state.state === 'waiting') headline = waitingSentence(state, t, language, view.now);
  if (view.fault) headline = t(`fault.${view.fault}.again`) || headline;
  return {
    tone: 'wait',
    headline,
    advice: view.withItem ? t('item.waiting') : '',
    canTryAgain: false,
    canOpen: false,
    takesItem: !view.withItem,
  };
}

function describeOutcome(state, t, language) {
  const found = outcomeSentences(state, t, language);
  const checkout = checkoutSentences(state, t, language);
  const isGood = opensByItself(state);
  const isNotCheckedOut = isHere(state) && !isGood;
  return {
    tone: isGood ? 'good' : isNotCheckedOut ? 'partly' : 'bad',
    headline: isCheckedOut(state) ? checkout.headline : found.headline,
    advice: isNotCheckedOut
      ? [checkout.headline, checkout.advice].filter(Boolean).join(' ')
      : isGood
        ? ''
        : found.advice,
    canTryAgain: WORTH_ANOTHER_TRY.includes(state.outcome),
    canOpen: isHere(state),
    takesItem: false,
  };
}

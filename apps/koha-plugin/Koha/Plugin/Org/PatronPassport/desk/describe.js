import { questionOf } from './consent.js';
import { NEXT_WHEN_HERE, NEXT_WHILE_WAITING, nextAfterFault, nextAfterOutcome } from './next-steps.js';
import { hasNoWorker, isCheckedOut, isCheckoutPending, isFinal, isHere, isItemLeft } from './scan-state.js';
import { checkoutSentences, hereSentence, outcomeSentences, waitingSentence } from './sentences.js';
import { LONG_QUEUED_MS, cancelledSteps, stepsOf } from './steps.js';

/** From when on it is said what else can be done meanwhile. */
const LONG_MS = 4000;

/**
 * Everything that the panel shows, decided from what is known: {state, fault, isOver, withItem, followedMs, now, cancel}.
 * `tone` is `wait`, `good`, `warn` (the desk has to do something) or `bad` (something does not work).
 */
export function describe(view, t, language) {
  if (view.cancel) return describeCancel(view, t);
  const steps = stepsOf(view);
  if (view.fault && view.isOver) return { steps, ...describeFault(view, t) };
  if (!view.state || !isFinal(view.state)) return { steps, ...describeWait(view, t, language) };
  return { steps, ...describeOutcome(view, t, language) };
}

/** What a cancel is coming to: only these are not over yet. */
const CANCELLING = ['pending', 'stopped'];
const CANCEL_TONES = {
  nothing: 'good',
  sent: 'warn',
  copied: 'warn',
  checked_out: 'warn',
  forgotten: 'warn',
  failed: 'bad',
};

function describeCancel(view, t) {
  const { cancel, state, withItem } = view;
  // one that failed can be tried again
  const isOver = !CANCELLING.includes(cancel) && cancel !== 'failed';
  const canOpen = cancel === 'checked_out' && state && state.patron_id;
  const delay = CANCELLING.includes(cancel) ? delayOf(view, t) : '';
  return {
    steps: isOver ? { ...stepsOf(view), ...cancelledSteps(cancel, withItem) } : stepsOf(view),
    tone: CANCEL_TONES[cancel] || (delay ? 'warn' : 'wait'),
    headline: t(`cancel.${cancel}`),
    advice: delay || t(`cancel.${cancel}.advice`) || '',
    next: canOpen ? NEXT_WHEN_HERE : isOver ? ['next'] : [],
    isOver,
    takesItem: false,
  };
}

/** Why a cancel may take for as long as nobody does something; '' while it just takes its time. */
function delayOf({ state, fault }, t) {
  if (fault) return t(`fault.${fault}.again`) || '';
  return state && hasNoWorker(state) ? t('stopped') : '';
}

function describeFault(view, t) {
  return {
    tone: 'bad',
    headline: t(`fault.${view.fault}`) || t('fault.unreachable'),
    advice: sentences(view.withItem && t('item.left'), t(`fault.${view.fault}.advice`)),
    next: nextAfterFault(view.fault),
    isOver: true,
    takesItem: false,
  };
}

function describeWait(view, t, language) {
  const { state, withItem } = view;
  if (questionOf(view)) return describeQuestion(view, t, language);
  if (state && isCheckoutPending(state)) return describePending(view, t);
  const isStopped = Boolean(state) && hasNoWorker(state);
  const isLong = isStopped || view.fault || view.followedMs > LONG_MS || (state && state.state === 'waiting');
  const what = isStopped ? t('stopped') : view.fault ? t(`fault.${view.fault}.meanwhile`) : '';
  return {
    tone: isStopped ? 'warn' : 'wait',
    headline: view.fault ? t(`fault.${view.fault}.again`) : waitHeadline(view, t, language),
    advice: sentences(withItem && t('item.waiting'), what || (isLong && state && t('meanwhile'))),
    next: isLong ? NEXT_WHILE_WAITING : [],
    isOver: false,
    takesItem: !withItem,
  };
}

/** The service tries again by itself, and nobody has to wait for it. */
const describePending = ({ state }, t) => ({
  tone: 'warn',
  headline: t('checkout.pending'),
  advice: sentences(t('checkout.pending.advice'), hasNoWorker(state) && t('now.waiting.NO_WORKER')),
  next: NEXT_WHEN_HERE,
  isOver: false,
  takesItem: false,
});

/** Nobody goes on meanwhile, and no item is taken: whoever scans now does not read the patron the text. */
function describeQuestion(view, t, language) {
  const isStopped = hasNoWorker(view.state);
  return {
    tone: 'warn',
    headline: waitHeadline(view, t, language),
    advice: sentences(t('consent.advice'), isStopped && t('stopped')),
    next: [],
    isOver: false,
    takesItem: false,
  };
}

function waitHeadline({ state, followedMs, now, answered }, t, language) {
  if (!state) return t('now.reporting');
  if (state.consent && answered === state.event_id && !hasNoWorker(state)) return t('now.answered');
  if (state.waiting_for) return waitingSentence(state, t, language, now);
  if (state.state === 'waiting') return t('now.waiting');
  if (state.state === 'queued' && followedMs > LONG_QUEUED_MS) return t('now.queued');
  return t(followedMs > LONG_MS ? 'now.slow' : 'now.searching');
}

function describeOutcome({ state, withItem }, t, language) {
  const found = outcomeSentences(state, t, language);
  if (isItemLeft(state, withItem)) {
    const checkout = checkoutSentences(state, t, language);
    const advice = sentences(checkout.advice, hereSentence(state, t, language));
    return { ...ended('warn', NEXT_WHEN_HERE), headline: checkout.headline, advice };
  }
  if (isHere(state)) {
    const headline = isCheckedOut(state) ? checkoutSentences(state, t, language).headline : found.headline;
    return { ...ended('good', NEXT_WHEN_HERE), headline, advice: '' };
  }
  return {
    ...ended(state.state === 'failed' ? 'bad' : 'warn', nextAfterOutcome(state.outcome)),
    headline: found.headline,
    advice: sentences(withItem && state.outcome !== 'CANCELLED' && t('item.left'), found.advice),
  };
}

const ended = (tone, next) => ({ tone, next, isOver: true, takesItem: false });

const sentences = (...parts) => parts.filter(Boolean).join(' ');

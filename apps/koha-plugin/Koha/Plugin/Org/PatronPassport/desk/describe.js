import { questionOf } from './consent.js';
import { answeredAs, asksOf } from './decision.js';
import { NEXT_WHEN_HERE, NEXT_WHILE_WAITING, nextAfterFault, nextAfterOutcome } from './outcomes.js';
import {
  checkoutOf,
  hasNoWorker,
  isCancelOver,
  isCheckedOut,
  isCheckoutPending,
  isFinal,
  isHere,
  isItemLeft,
  isTooLateForItem,
} from './scan-state.js';
import { checkoutSentences, hereSentence, minuteIn, outcomeSentences, waitingSentence } from './sentences.js';
import { LONG_QUEUED_MS, stepsOf } from './steps.js';

/** From when on it is said what else can be done meanwhile. */
const LONG_MS = 4000;

/**
 * Everything that the panel shows, decided from what is known: {state, fault, isOver, withItem, followedMs, now, cancel}.
 * `tone` is `wait`, `good`, `warn` (the desk has to do something) or `bad` (something does not work).
 */
export function describe(view, t, language) {
  const shown = { steps: stepsOf(view), advice: '', next: [], isOver: true, takesItem: false };
  if (view.cancel) return { ...shown, ...describeCancel(view, t) };
  if (view.fault && view.isOver) return { ...shown, ...describeFault(view, t) };
  if (!view.state || !isFinal(view.state))
    return { ...shown, isOver: false, ...describeWait(view, t, language) };
  return { ...shown, ...describeOutcome(view, t, language) };
}

const CANCEL_TONES = {
  nothing: 'good',
  sent: 'warn',
  copied: 'warn',
  checked_out: 'warn',
  forgotten: 'warn',
  failed: 'bad',
};

function describeCancel(view, t) {
  const { cancel, state } = view;
  const isOver = isCancelOver(view);
  const canOpen = cancel === 'checked_out' && state && state.patron_id;
  const delay = isOver || cancel === 'failed' ? '' : delayOf(view, t);
  return {
    tone: CANCEL_TONES[cancel] || (delay ? 'warn' : 'wait'),
    headline: t(`cancel.${cancel}`),
    advice: delay || t(`cancel.${cancel}.advice`) || '',
    next: canOpen ? NEXT_WHEN_HERE : isOver ? ['next'] : [],
    isOver,
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
  };
}

function describeWait(view, t, language) {
  const { state, withItem } = view;
  if (questionOf(view)) return describeQuestion(view, t, language);
  if (asksOf(view)) return describeAsks(view, t, language);
  if (state && isCheckoutPending(state)) return describePending(view, t);
  const isStopped = Boolean(state) && hasNoWorker(state);
  const isLong = isStopped || view.fault || view.followedMs > LONG_MS || (state && state.state === 'waiting');
  const isLate = Boolean(state) && isTooLateForItem(state);
  const what = isStopped ? t('stopped') : view.fault ? t(`fault.${view.fault}.meanwhile`) : '';
  const until = !isStopped && state && state.waiting_for && state.waiting_for.gives_up_at;
  return {
    tone: isStopped ? 'warn' : 'wait',
    headline: view.fault ? t(`fault.${view.fault}.again`) : waitHeadline(view, t, language),
    advice: sentences(
      withItem && t(isLate ? 'item.late' : 'item.waiting'),
      what || (isLong && state && t('meanwhile')),
      untilSentence('until', until, view, t, language),
    ),
    next: isLong ? NEXT_WHILE_WAITING : [],
    takesItem: !withItem && !isLate,
  };
}

/** The service tries again by itself, and nobody has to wait for it. */
const describePending = ({ state }, t) => ({
  tone: 'warn',
  headline: t('checkout.pending'),
  advice: sentences(t('checkout.pending.advice'), hasNoWorker(state) && t('now.waiting.NO_WORKER')),
  next: NEXT_WHEN_HERE,
});

/** Nobody goes on meanwhile, but an item that is scanned waits for the answer with the patron. */
const describeQuestion = (view, t, language) => ({
  tone: 'warn',
  headline: waitHeadline(view, t, language),
  advice: sentences(
    t('consent.advice'),
    untilSentence('consent.until', view.state.consent.answer_by, view, t, language),
    view.withItem && t('item.waiting'),
    hasNoWorker(view.state) && t('stopped'),
  ),
  takesItem: !view.withItem,
});

/** A choice holds the patron up and is one key away; a refusal that can be overridden is a result like any other, and nobody waits with it. */
function describeAsks(view, t, language) {
  const { state, withItem } = view;
  const { question, answer_by: until } = state.asks;
  const isRefusal = question === 'OVERRIDE';
  const refusal = isRefusal ? outcomeSentences({ ...state, outcome: 'NOT_ELIGIBLE' }, t, language) : null;
  return {
    tone: 'warn',
    headline: refusal ? refusal.headline : waitHeadline(view, t, language),
    advice: sentences(
      withItem && t(isRefusal ? 'item.left' : 'item.waiting'),
      t(`asks.${question}`),
      untilSentence('consent.until', until, view, t, language),
      hasNoWorker(state) && t('stopped'),
    ),
    next: isRefusal ? nextAfterOutcome('NOT_ELIGIBLE') : NEXT_WHILE_WAITING,
    isOver: isRefusal,
    takesItem: !isRefusal && !withItem,
  };
}

/** Until when something is possible, where there is a limit that is not over. */
function untilSentence(key, iso, { now }, t, language) {
  const until = Date.parse(iso || '');
  return until > now && t(key, { time: minuteIn(until, language, now) });
}

function waitHeadline({ state, followedMs, now, answered, decided }, t, language) {
  if (!state) return t('now.reporting');
  if (state.consent && answered === state.event_id && !hasNoWorker(state)) return t('now.answered');
  if (state.asks && decided === answeredAs(state) && !hasNoWorker(state)) return t('now.answered');
  if (state.waiting_for) return waitingSentence(state, t, language, now);
  if (state.state === 'waiting') return t('now.waiting');
  if (state.state === 'queued' && followedMs > LONG_QUEUED_MS) return t('now.queued');
  return t(followedMs > LONG_MS ? 'now.slow' : 'now.searching');
}

function describeOutcome({ state, withItem }, t, language) {
  const found = outcomeSentences(state, t, language);
  const checkout = checkoutSentences(state, t, language);
  if (isItemLeft(state, withItem)) {
    const advice = sentences(checkout.advice, hereSentence(state, t, language));
    return { tone: 'warn', next: NEXT_WHEN_HERE, headline: checkout.headline, advice };
  }
  if (isHere(state)) {
    const headline = isCheckedOut(state) ? checkout.headline : found.headline;
    return { tone: 'good', next: NEXT_WHEN_HERE, headline, takesItem: true };
  }
  const item =
    checkoutOf(state) === 'NO_ANSWER'
      ? sentences(checkout.headline, checkout.advice)
      : withItem && state.outcome !== 'CANCELLED' && t('item.left');
  return {
    tone: state.state === 'failed' ? 'bad' : 'warn',
    next: nextAfterOutcome(state.outcome, state.reasons),
    headline: found.headline,
    advice: sentences(item, found.advice),
  };
}

const sentences = (...parts) => parts.filter(Boolean).join(' ');

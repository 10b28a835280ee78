export {
  PROCESS_KINDS,
  type ProcessKind,
  type ProcessIdentity,
  type ProcessNote,
  type SeenProcess,
  LIVE_MS,
  announceProcess,
  readProcesses,
} from './live-processes.ts';
export {
  type Reloaded,
  type RegisteredProcess,
  type Registration,
  registerProcess,
} from './register-process.ts';
export {
  PAUSE_SIDES,
  type PauseSide,
  type Pause,
  readControl,
  requestReload,
  pauseLibraries,
  resumeLibrary,
  type Pauses,
  buildPauses,
} from './control.ts';
export { buildHasWorker } from './has-worker.ts';
export {
  type LibraryHealth,
  type LibraryCondition,
  type LibraryState,
  CONDITION_WORDS,
  isSlow,
  isWell,
  problemText,
  writeHealth,
  retireHealth,
  readLibraryStates,
} from './library-health.ts';

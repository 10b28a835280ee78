// Jest's runtime reads, compiles and links each module again for each test file, in a context of its own. This one leaves
// that to Node (docs/decisions/0003-one-jest-run-from-source.md): the files that a worker runs share what they import.
import asyncHooks, { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import Runtime from 'jest-runtime';

const require = createRequire(import.meta.url);

/** Whom Jest's framework calls for what happens in a test file. */
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');
/** For Jest's framework, which would make another as it is loaded: each that has been used makes every promise of the process dearer. */
const storage = new AsyncLocalStorage();
/** Where globals.mjs finds what Jest has for the test file that runs. */
const GLOBALS = Symbol.for('passport.jest-globals');
let imports = 0;

export default class NativeRuntime extends Runtime {
  #testPath;

  constructor(...args) {
    super(...args);
    this.#testPath = args[6];
  }

  /** Jest's test framework, which keeps the state of one test file and so is loaded for each. */
  requireInternalModule(path) {
    delete require.cache[path];
    delete globalThis[EVENT_HANDLERS];
    asyncHooks.AsyncLocalStorage = function OneForAll() {
      return storage;
    };
    try {
      return require(path);
    } finally {
      asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
    }
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  /** A test file, or what is to be done before it: each time anew, unlike what it imports. */
  unstable_importModule(path) {
    imports += 1;
    return import(`${pathToFileURL(path).href}?${imports}`);
  }

  setGlobalsForRuntime(globals) {
    super.setGlobalsForRuntime(globals);
    globalThis[GLOBALS] = this.requireModuleOrMock(this.#testPath, '@jest/globals');
  }
}

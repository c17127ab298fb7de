/**
 * The browser tests that `npm test` runs in Firefox too, since their outcome depends on the engine; the
 * others run there in `npm run test:full`. Paths from the folder `tests`.
 */
export const ENGINE_DEPENDENT = ['browser/flow.test.ts', 'browser/silent-port.test.ts'] as const

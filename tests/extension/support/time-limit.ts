/** Time limit of `vi.waitFor` for an event that a test expects. It is long, since the machine may be loaded. */
export const WITHIN_MS = 10_000

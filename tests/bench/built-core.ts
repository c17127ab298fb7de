/** The core as it is shipped: what is measured is the build, not what a test runner makes of the source. */

import { fileURLToPath } from 'node:url'

type Core = typeof import('../../shared/core/index.ts')

const path = fileURLToPath(new URL('../../dist/packages/core.js', import.meta.url))

export const core = (await import(path)) as Core

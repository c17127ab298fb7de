/**
 * Loads the core from the shipped build, so that the build is measured and not the output of a test runner.
 */

import { fileURLToPath } from 'node:url'

type Core = typeof import('../../shared/core/index.ts')

const path = fileURLToPath(new URL('../../dist/packages/core.js', import.meta.url))

export const core = (await import(path)) as Core

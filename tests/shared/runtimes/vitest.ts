/**
 * Replacement of `vitest` for runs outside of Node: the same runner and the same `expect`, without the other
 * parts.
 */

import {
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import * as chai from 'chai'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const { expect } = chai
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true })
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect as never)

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from '@vitest/runner'

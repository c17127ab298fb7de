/** The shapes of the contract's section 2, for `toStrictEqual`: these members and no others. */

import { expect } from 'vitest'
import type { Grant } from '../../../shared/messages/page-api.ts'

export const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export const aGrant = (known: Partial<Grant> = {}) => ({
  grantId: expect.stringMatching(/./),
  issuer: expect.stringMatching(/^http/),
  clientId: expect.stringMatching(/./),
  mode: expect.stringMatching(/^(?:fetch|token)$/),
  apis: expect.any(Array),
  subject: expect.stringMatching(/./),
  tokenType: expect.stringMatching(/^(?:Bearer|DPoP)$/),
  createdAt: expect.any(Number),
  expiresAt: expect.any(Number),
  ...known,
})

/** Defines the shapes of the contract: exactly these members. */

import { expect } from 'vitest'
import type {
  ApiRequest,
  ErrorCode,
  Grant,
  ProviderErrorData,
} from '../../../shared/messages/page-api.ts'
import type { Called } from './stage.ts'

export const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Shape of a grant, for `toStrictEqual`. */
export const aGrant = (known: Partial<Omit<Grant, 'apis'>> & { apis?: ApiRequest[] } = {}) => ({
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

const DATA = ['error', 'errorDescription', 'httpStatus', 'retryAfterSeconds']

/** Expects that the call ended with a `ProviderError`: an `Error` with `code` and `data`. */
export function expectError(
  { error }: Called<unknown>,
  code: ErrorCode,
  word: string,
  more: Partial<ProviderErrorData> = {},
): void {
  expect(error).toMatchObject({
    isError: true,
    code,
    message: expect.stringMatching(/./),
    data: { error: word, ...more },
  })
  expect(Object.keys(error?.data ?? {}).filter((member) => !DATA.includes(member))).toEqual([])
}

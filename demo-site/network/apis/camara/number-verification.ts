/**
 * Implements CAMARA Number Verification, version 2. Only a subscriber whom the access network has authenticated
 * can be verified, and each token is valid for one call.
 */

import { createHash } from 'node:crypto'
import Router from '@koa/router'
import type { Context } from 'koa'
import type { Subscriber } from '../../subscribers.ts'
import { callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { findExposedApi } from '../catalogue.ts'
import { parseJsonBody } from '../json-body.ts'
import { compileSchema, validateBody } from '../validation.ts'
import { CamaraError, handleCamaraErrors } from './errors.ts'

interface VerifyNumber {
  phoneNumber?: string
  hashedPhoneNumber?: string
}

const validateVerify = compileSchema<VerifyNumber>({
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  properties: {
    phoneNumber: { type: 'string', pattern: '^\\+[1-9][0-9]{4,14}$' },
    hashedPhoneNumber: { type: 'string', pattern: '^[a-fA-F0-9]{64}$' },
  },
})

export function numberVerificationRouter({ trust }: { trust: TokenTrust }): Router {
  const api = findExposedApi('number-verification')
  const router = new Router({ prefix: api.path })
  router.use(handleCamaraErrors())

  const verify = requireToken(trust, api, 'number-verification:verify')
  router.post('/verify', verify, parseJsonBody(), (ctx) => {
    const { phoneNumber } = requireNetworkAuthentication(ctx)
    const requested = validateBody(validateVerify, ctx.request.body)
    const hash = createHash('sha256').update(phoneNumber).digest('hex')
    const devicePhoneNumberVerified =
      requested.phoneNumber === undefined
        ? requested.hashedPhoneNumber?.toLowerCase() === hash
        : requested.phoneNumber === phoneNumber
    ctx.body = { devicePhoneNumberVerified }
  })

  const read = requireToken(trust, api, 'number-verification:device-phone-number:read')
  router.get('/device-phone-number', read, (ctx) => {
    ctx.body = { devicePhoneNumber: requireNetworkAuthentication(ctx).phoneNumber }
  })

  return router
}

function requireNetworkAuthentication(ctx: Context): Subscriber {
  const { token, subscriber } = callerOf(ctx)
  if (token.amr.includes('nba')) return subscriber
  throw new CamaraError(
    403,
    'NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK',
    'The subscriber was not authenticated by the mobile network.',
  )
}

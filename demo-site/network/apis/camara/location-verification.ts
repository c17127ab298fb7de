/**
 * Implements CAMARA Location Verification, version 3: checks whether the subscriber's device is in a circle that
 * the application names.
 */

import Router from '@koa/router'
import { callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { findExposedApi } from '../catalogue.ts'
import { parseJsonBody } from '../json-body.ts'
import { compileSchema, validateBody } from '../validation.ts'
import { computeCoveredShare } from './circle-overlap.ts'
import { handleCamaraErrors, rejectDeviceMember } from './errors.ts'

interface VerifyLocation {
  area: { center: { latitude: number; longitude: number }; radius: number }
  maxAge?: number
}

const validateRequest = compileSchema<VerifyLocation>({
  type: 'object',
  required: ['area'],
  properties: {
    area: {
      type: 'object',
      required: ['areaType', 'center', 'radius'],
      properties: {
        areaType: { const: 'CIRCLE' },
        center: {
          type: 'object',
          required: ['latitude', 'longitude'],
          properties: {
            latitude: { type: 'number', minimum: -90, maximum: 90 },
            longitude: { type: 'number', minimum: -180, maximum: 180 },
          },
        },
        radius: { type: 'number', minimum: 1 },
      },
    },
    maxAge: { type: 'integer', minimum: 0 },
  },
})

export function locationVerificationRouter({ trust }: { trust: TokenTrust }): Router {
  const api = findExposedApi('location-verification')
  const router = new Router({ prefix: api.path })
  router.use(handleCamaraErrors())

  const verify = requireToken(trust, api, 'location-verification:verify')
  router.post('/verify', verify, parseJsonBody(), (ctx) => {
    rejectDeviceMember(ctx.request.body)
    const { area } = validateBody(validateRequest, ctx.request.body)
    const { location } = callerOf(ctx).subscriber
    const share = computeCoveredShare(
      { ...location, radiusMeters: location.accuracyMeters },
      { ...area.center, radiusMeters: area.radius },
    )
    const lastLocationTime = new Date(Date.now()).toISOString()
    ctx.body =
      share === 0 || share === 1
        ? { verificationResult: share === 1 ? 'TRUE' : 'FALSE', lastLocationTime }
        : {
            verificationResult: 'PARTIAL',
            matchRate: Math.min(99, Math.max(1, Math.round(share * 100))),
            lastLocationTime,
          }
  })

  return router
}

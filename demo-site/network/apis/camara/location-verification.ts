/** CAMARA Location Verification, version 3: is the subscriber's device in this circle? */

import Router from '@koa/router'
import { callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { exposedApi } from '../catalogue.ts'
import { jsonBody } from '../json-body.ts'
import { checked, compile } from '../validation.ts'
import { coverage } from './circle-overlap.ts'
import { camaraErrors, refuseDevice } from './errors.ts'

interface VerifyLocation {
  area: { center: { latitude: number; longitude: number }; radius: number }
  maxAge?: number
}

const validateRequest = compile<VerifyLocation>({
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
  const api = exposedApi('location-verification')
  const router = new Router({ prefix: api.path })
  router.use(camaraErrors())

  const verify = requireToken(trust, api, 'location-verification:verify')
  router.post('/verify', verify, jsonBody(), (ctx) => {
    refuseDevice(ctx.request.body)
    const { area } = checked(validateRequest, ctx.request.body)
    const { location } = callerOf(ctx).subscriber
    const share = coverage(
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

/**
 * The CAPIF core function: onboarding, discovery, security contexts and notifications. Its tokens come
 * from the authorization server of the same issuer, since the core is the authorization function.
 * @see TS 23.222 clause 7.5, TS 29.222 V19.5.0
 */

import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import { AEF_ID, apisOf } from '../apis/catalogue.ts'
import { allowAnyOrigin } from '../apis/cors.ts'
import { jsonBody } from '../apis/json-body.ts'
import { Problem, problems } from '../apis/problem-details.ts'
import { checked, compile } from '../apis/validation.ts'
import type { CapifNotifications } from '../capif-notifications.ts'
import type { Handler } from '../http/serve.ts'
import { type Invoker, type Invokers, secretIsRight } from './invokers.ts'
import { negotiate } from './security-context.ts'
import { openServiceApis, serviceApis } from './service-apis.ts'

export interface CoreSettings {
  /** `{apiRoot}`. */
  apiRoot: string
  apisOrigin: string
  invokers: Invokers
  notifications: CapifNotifications
  /** Makes the invoker a client of the authorization server. */
  register(invoker: Invoker): Promise<void>
  isClient(clientId: string): Promise<boolean>
}

interface Enrolment {
  onboardingInformation: { apiInvokerPublicKey: string }
  notificationDestination: string
  apiInvokerInformation?: string
}

const validateEnrolment = compile<Enrolment>({
  type: 'object',
  required: ['onboardingInformation', 'notificationDestination'],
  properties: {
    onboardingInformation: {
      type: 'object',
      required: ['apiInvokerPublicKey'],
      properties: { apiInvokerPublicKey: { type: 'string', minLength: 1, maxLength: 4096 } },
    },
    notificationDestination: { type: 'string', minLength: 1 },
    apiInvokerInformation: { type: 'string', maxLength: 80 },
  },
})

const PATHS =
  /^\/(api-invoker-management\/v1|service-apis\/v1|open-api-disc\/v1|capif-security\/v1\/trustedInvokers)\//

/** Takes the paths of the core, and hands everything else on. */
export function coreFunction(settings: CoreSettings, next: Handler): Handler {
  const { invokers } = settings
  const router = new Router()
  router.use(jsonBody())

  router.post('/api-invoker-management/v1/onboardedInvokers', async (ctx) => {
    const asked = checked(validateEnrolment, ctx.request.body)
    const invoker = invokers.onboard({
      notificationDestination: asked.notificationDestination,
      information: asked.apiInvokerInformation ?? 'A UE application',
      publicKey: asked.onboardingInformation.apiInvokerPublicKey,
    })
    await settings.register(invoker)
    ctx.status = 201
    ctx.set(
      'Location',
      `${settings.apiRoot}/api-invoker-management/v1/onboardedInvokers/${invoker.onboardingId}`,
    )
    ctx.body = {
      ...asked,
      apiInvokerId: invoker.apiInvokerId,
      onboardingInformation: {
        apiInvokerPublicKey: invoker.publicKey,
        onboardingSecret: invoker.onboardingSecret,
      },
      apiList: { serviceAPIDescriptions: serviceApis(settings.apisOrigin, {}) },
      supportedFeatures: '0',
    }
  })

  router.delete('/api-invoker-management/v1/onboardedInvokers/:onboardingId', (ctx) => {
    const invoker = invokers.byOnboardingId(String(ctx.params.onboardingId))
    if (!invoker) throw new Problem(404)
    requireSecret(ctx, invoker)
    settings.notifications.closeChannel(invokers.context(invoker.apiInvokerId)?.websocketUri)
    invokers.offboard(invoker)
    ctx.status = 204
  })

  router.get('/service-apis/v1/allServiceAPIs', async (ctx) => {
    const invokerId = one(ctx, 'api-invoker-id')
    if (invokerId === undefined) throw missing('api-invoker-id')
    if (!(await settings.isClient(invokerId)))
      throw new Problem(404, { detail: 'API Invoker not found' })
    const grantTypes = one(ctx, 'grant-types')
    const apiName = one(ctx, 'api-name')
    const aefId = one(ctx, 'aef-id')
    const found = serviceApis(settings.apisOrigin, {
      ...(grantTypes === undefined ? {} : { grantTypes: stringList(grantTypes) }),
      ...(apiName === undefined ? {} : { apiName }),
      ...(aefId === undefined ? {} : { aefId }),
    })
    // The list has at least one member, so none found is no member at all.
    ctx.body = found.length === 0 ? {} : { serviceAPIDescriptions: found }
  })

  router.get('/open-api-disc/v1/service-apis', (ctx) => {
    const names = [ctx.query['api-names'] ?? []].flat().flatMap((value) => value.split(','))
    ctx.body = { discApis: openServiceApis(names.length === 0 ? undefined : names) }
  })

  const context = '/capif-security/v1/trustedInvokers/:apiInvokerId'

  router.put(context, async (ctx) => {
    const id = await knownInvoker(ctx)
    const wants = Reflect.get(
      Object(Reflect.get(Object(ctx.request.body), 'websockNotifConfig')),
      'requestWebsocketUri',
    )
    const earlier = invokers.context(id)?.websocketUri
    const websocketUri = wants === true ? (earlier ?? settings.notifications.open()) : undefined
    const security = negotiate(ctx.request.body, websocketUri)
    invokers.setContext(id, { security, ...(websocketUri === undefined ? {} : { websocketUri }) })
    ctx.status = 201
    ctx.set('Location', `${settings.apiRoot}${pathOf(id)}`)
    ctx.body = security
    if (security.requestTestNotification) {
      settings.notifications.send(websocketUri, {
        subscription: `${settings.apiRoot}${pathOf(id)}`,
      })
    }
  })

  router.get(context, async (ctx) => {
    ctx.body = existingContext(await knownInvoker(ctx)).security
  })

  router.delete(context, async (ctx) => {
    const id = await knownInvoker(ctx)
    existingContext(id)
    settings.notifications.closeChannel(invokers.removeContext(id)?.websocketUri)
    ctx.status = 204
  })

  router.post(`${context}/update`, async (ctx) => {
    const id = await knownInvoker(ctx)
    const earlier = existingContext(id)
    const security = negotiate(ctx.request.body, earlier.websocketUri)
    invokers.setContext(id, { ...earlier, security })
    ctx.body = security
  })

  function existingContext(id: string) {
    const found = invokers.context(id)
    if (!found) throw new Problem(404, { detail: 'API Invoker has no security context' })
    return found
  }

  /** TS 29.222 clause 10.2 wants mutual TLS, which loopback has not: the onboarding secret stands in. */
  async function knownInvoker(ctx: Context): Promise<string> {
    const id = String(ctx.params.apiInvokerId)
    const invoker = invokers.find(id)
    if (invoker) requireSecret(ctx, invoker)
    else if (!(await settings.isClient(id)))
      throw new Problem(404, { detail: 'API Invoker not found' })
    return id
  }

  const app = new Koa()
  app.silent = true
  app.use(async (ctx, follow) => {
    ctx.set('Cache-Control', 'no-store')
    await follow()
  })
  app.use(allowAnyOrigin()).use(problems()).use(router.routes()).use(router.allowedMethods())
  const callback = app.callback()
  return (request, answer) =>
    PATHS.test(request.url ?? '') ? callback(request, answer) : next(request, answer)
}

function pathOf(apiInvokerId: string): string {
  return `/capif-security/v1/trustedInvokers/${encodeURIComponent(apiInvokerId)}`
}

function requireSecret(ctx: Context, invoker: Invoker): void {
  const [scheme, value = ''] = ctx.get('authorization').split(' ')
  const [name = '', secret = ''] = Buffer.from(value, 'base64').toString('utf8').split(':')
  const right = scheme?.toLowerCase() === 'basic' && name === invoker.apiInvokerId
  if (right && secretIsRight(invoker, secret)) return
  throw new Problem(
    401,
    { detail: 'Client certificate required', cause: 'the onboarding secret stands in for it here' },
    { 'WWW-Authenticate': 'Basic realm="capif"' },
  )
}

function one(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name]
  if (Array.isArray(value)) throw new Problem(400, { detail: 'a parameter came twice' })
  return value
}

function missing(param: string): Problem {
  return new Problem(400, { invalidParams: [{ param, reason: 'is required' }] })
}

/** `content: application/json` of the specification, or a list with commas. */
function stringList(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value.map(String)
  } catch {
    return text.split(',')
  }
  throw new Problem(400, { invalidParams: [{ param: 'grant-types', reason: 'must be an array' }] })
}

/** The notification that tells an invoker of a revocation. @see TS 29.222 clause 8.5.4.2.5 */
export function securityNotification(
  apiInvokerId: string,
  cause: string,
  accessToken: string | undefined,
) {
  return {
    apiInvokerId,
    aefId: AEF_ID,
    apiIds: apisOf('capif').map(({ apiId }) => apiId),
    cause,
    ...(accessToken === undefined ? {} : { accessToken }),
  }
}

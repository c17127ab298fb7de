/**
 * Implements the CAPIF core function: onboarding, discovery, security contexts and notifications. Tokens come from
 * the authorization server of the same issuer, because the core is the authorization function.
 * @see TS 23.222 clause 7.5, TS 29.222 V19.5.0
 */

import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import { AEF_ID, listApis } from '../apis/catalogue.ts'
import { allowAnyOrigin } from '../apis/cors.ts'
import { parseJsonBody } from '../apis/json-body.ts'
import { handleProblems, Problem } from '../apis/problem-details.ts'
import { compileSchema, validateBody } from '../apis/validation.ts'
import type { CapifNotifications } from '../capif-notifications.ts'
import type { Handler } from '../http/serve.ts'
import { type Invoker, type Invokers, isSecretValid } from './invokers.ts'
import { negotiateSecurity } from './security-context.ts'
import { describeOpenServiceApis, describeServiceApis } from './service-apis.ts'

export interface CapifRoutesSettings {
  /** `{apiRoot}`. */
  apiRoot: string
  apisOrigin: string
  invokers: Invokers
  notifications: CapifNotifications
  /** Registers the invoker as a client of the authorization server. */
  registerClient(invoker: Invoker): Promise<void>
  isClient(clientId: string): Promise<boolean>
}

interface Enrolment {
  onboardingInformation: { apiInvokerPublicKey: string }
  notificationDestination: string
  apiInvokerInformation?: string
}

const validateEnrolment = compileSchema<Enrolment>({
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

/** Creates a handler for the paths of the core function; other requests go to `next`. */
export function createCapifRoutes(settings: CapifRoutesSettings, next: Handler): Handler {
  const { invokers } = settings
  const router = new Router()
  router.use(parseJsonBody())

  router.post('/api-invoker-management/v1/onboardedInvokers', async (ctx) => {
    const enrolment = validateBody(validateEnrolment, ctx.request.body)
    const invoker = invokers.onboard({
      notificationDestination: enrolment.notificationDestination,
      information: enrolment.apiInvokerInformation ?? 'A UE application',
      publicKey: enrolment.onboardingInformation.apiInvokerPublicKey,
    })
    await settings.registerClient(invoker)
    ctx.status = 201
    ctx.set(
      'Location',
      `${settings.apiRoot}/api-invoker-management/v1/onboardedInvokers/${invoker.onboardingId}`,
    )
    ctx.body = {
      ...enrolment,
      apiInvokerId: invoker.apiInvokerId,
      onboardingInformation: {
        apiInvokerPublicKey: invoker.publicKey,
        onboardingSecret: invoker.onboardingSecret,
      },
      apiList: { serviceAPIDescriptions: describeServiceApis(settings.apisOrigin, {}) },
      supportedFeatures: '0',
    }
  })

  router.delete('/api-invoker-management/v1/onboardedInvokers/:onboardingId', (ctx) => {
    const invoker = invokers.findByOnboardingId(String(ctx.params.onboardingId))
    if (!invoker) throw new Problem(404)
    requireSecret(ctx, invoker)
    settings.notifications.closeChannel(invokers.findContext(invoker.apiInvokerId)?.websocketUri)
    invokers.offboard(invoker)
    ctx.status = 204
  })

  router.get('/service-apis/v1/allServiceAPIs', async (ctx) => {
    const invokerId = readQueryParameter(ctx, 'api-invoker-id')
    if (invokerId === undefined) throw createMissingParameterProblem('api-invoker-id')
    if (!(await settings.isClient(invokerId)))
      throw new Problem(404, { detail: 'API Invoker not found' })
    const grantTypes = readQueryParameter(ctx, 'grant-types')
    const apiName = readQueryParameter(ctx, 'api-name')
    const aefId = readQueryParameter(ctx, 'aef-id')
    const found = describeServiceApis(settings.apisOrigin, {
      ...(grantTypes === undefined ? {} : { grantTypes: parseStringList(grantTypes) }),
      ...(apiName === undefined ? {} : { apiName }),
      ...(aefId === undefined ? {} : { aefId }),
    })
    // TS 29.222 requires at least one item in the list, so an empty result has no list.
    ctx.body = found.length === 0 ? {} : { serviceAPIDescriptions: found }
  })

  router.get('/open-api-disc/v1/service-apis', (ctx) => {
    const names = [ctx.query['api-names'] ?? []].flat().flatMap((value) => value.split(','))
    ctx.body = { discApis: describeOpenServiceApis(names.length === 0 ? undefined : names) }
  })

  const contextPath = '/capif-security/v1/trustedInvokers/:apiInvokerId'

  router.put(contextPath, async (ctx) => {
    const id = await requireInvoker(ctx)
    const requestsWebsocket = Reflect.get(
      Object(Reflect.get(Object(ctx.request.body), 'websockNotifConfig')),
      'requestWebsocketUri',
    )
    const earlierUri = invokers.findContext(id)?.websocketUri
    const websocketUri =
      requestsWebsocket === true ? (earlierUri ?? settings.notifications.openChannel()) : undefined
    const security = negotiateSecurity(ctx.request.body, websocketUri)
    invokers.setContext(id, { security, ...(websocketUri === undefined ? {} : { websocketUri }) })
    ctx.status = 201
    ctx.set('Location', `${settings.apiRoot}${getContextPath(id)}`)
    ctx.body = security
    if (security.requestTestNotification) {
      settings.notifications.send(websocketUri, {
        subscription: `${settings.apiRoot}${getContextPath(id)}`,
      })
    }
  })

  router.get(contextPath, async (ctx) => {
    ctx.body = requireContext(await requireInvoker(ctx)).security
  })

  router.delete(contextPath, async (ctx) => {
    const id = await requireInvoker(ctx)
    requireContext(id)
    settings.notifications.closeChannel(invokers.removeContext(id)?.websocketUri)
    ctx.status = 204
  })

  router.post(`${contextPath}/update`, async (ctx) => {
    const id = await requireInvoker(ctx)
    const earlierContext = requireContext(id)
    const security = negotiateSecurity(ctx.request.body, earlierContext.websocketUri)
    invokers.setContext(id, { ...earlierContext, security })
    ctx.body = security
  })

  function requireContext(id: string) {
    const found = invokers.findContext(id)
    if (!found) throw new Problem(404, { detail: 'API Invoker has no security context' })
    return found
  }

  /** Checks the onboarding secret. It replaces mutual TLS (TS 29.222 clause 10.2), which loopback does not have. */
  async function requireInvoker(ctx: Context): Promise<string> {
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
  app.use(allowAnyOrigin()).use(handleProblems()).use(router.routes()).use(router.allowedMethods())
  const callback = app.callback()
  return (request, answer) =>
    PATHS.test(request.url ?? '') ? callback(request, answer) : next(request, answer)
}

function getContextPath(apiInvokerId: string): string {
  return `/capif-security/v1/trustedInvokers/${encodeURIComponent(apiInvokerId)}`
}

function requireSecret(ctx: Context, invoker: Invoker): void {
  const [scheme, value = ''] = ctx.get('authorization').split(' ')
  const [name = '', secret = ''] = Buffer.from(value, 'base64').toString('utf8').split(':')
  const isExpectedUser = scheme?.toLowerCase() === 'basic' && name === invoker.apiInvokerId
  if (isExpectedUser && isSecretValid(invoker, secret)) return
  throw new Problem(
    401,
    { detail: 'Client certificate required', cause: 'the onboarding secret stands in for it here' },
    { 'WWW-Authenticate': 'Basic realm="capif"' },
  )
}

function readQueryParameter(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name]
  if (Array.isArray(value)) throw new Problem(400, { detail: 'a parameter came twice' })
  return value
}

function createMissingParameterProblem(param: string): Problem {
  return new Problem(400, { invalidParams: [{ param, reason: 'is required' }] })
}

/** Parses a JSON array (`content: application/json` in the specification) or a comma-separated list. */
function parseStringList(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value.map(String)
  } catch {
    return text.split(',')
  }
  throw new Problem(400, { invalidParams: [{ param: 'grant-types', reason: 'must be an array' }] })
}

/** Creates the notification of a revocation to an invoker. @see TS 29.222 clause 8.5.4.2.5 */
export function createSecurityNotification(
  apiInvokerId: string,
  cause: string,
  accessToken: string | undefined,
) {
  return {
    apiInvokerId,
    aefId: AEF_ID,
    apiIds: listApis('capif').map(({ apiId }) => apiId),
    cause,
    ...(accessToken === undefined ? {} : { accessToken }),
  }
}

/**
 * `3gpp-as-session-with-qos/v1`: an application asks for a better session for the subscriber whose
 * token it brings. @see TS 29.122 V19.6.0 clause 5.14
 */

import Router from '@koa/router'
import type { Context } from 'koa'
import type { CapifNotifications } from '../../capif-notifications.ts'
import { qosProfile } from '../../user-plane/qos-profiles.ts'
import type { QosSessions } from '../../user-plane/qos-sessions.ts'
import { type Caller, callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { exposedApi } from '../catalogue.ts'
import { jsonBody } from '../json-body.ts'
import { Problem } from '../problem-details.ts'
import { checked } from '../validation.ts'
import { type Owner, ownerOf, SubscriptionStore } from './store.ts'
import {
  type AsSessionWithQoSSubscription,
  validatePatch,
  validateSubscription,
} from './subscription.ts'

const NAME = '3gpp-as-session-with-qos'

export interface AsSessionWithQosSettings {
  apisOrigin: string
  trust: TokenTrust
  sessions: QosSessions
  notifications: CapifNotifications
}

export function asSessionWithQosRouter(settings: AsSessionWithQosSettings): Router {
  const api = exposedApi(NAME)
  const resource = `${settings.apisOrigin}${api.path}`
  const store = new SubscriptionStore<AsSessionWithQoSSubscription>()
  const router = new Router({ prefix: api.path })
  router.use(requireToken(settings.trust, api, NAME), jsonBody())

  router.get('/:scsAsId/subscriptions', (ctx) => {
    ctx.body = store.list(owner(ctx)).map(({ value }) => value)
  })

  router.post('/:scsAsId/subscriptions', (ctx) => {
    const asked = checked(validateSubscription, ctx.request.body)
    checkRequest(asked, callerOf(ctx))
    const { id, value } = store.add(owner(ctx), (newId) => ({
      ...asked,
      self: `${resource}/${encodeURIComponent(String(ctx.params.scsAsId))}/subscriptions/${newId}`,
      supportedFeatures: '0',
      ...(asked.websockNotifConfig?.requestWebsocketUri === true
        ? {
            websockNotifConfig: {
              requestWebsocketUri: true,
              websocketUri: settings.notifications.open(),
            },
          }
        : {}),
    }))
    apply(id, value, callerOf(ctx))
    ctx.status = 201
    ctx.set('Location', value.self ?? '')
    ctx.body = value
  })

  router.get('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    ctx.body = wanted(ctx).value
  })

  router.put('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    const stored = wanted(ctx)
    const asked = checked(validateSubscription, ctx.request.body)
    replace(ctx, stored.id, { ...asked, ...kept(stored.value) })
  })

  router.patch('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    const stored = wanted(ctx)
    const patch = checked(validatePatch, ctx.request.body)
    const merged = mergePatch(stored.value, patch)
    replace(ctx, stored.id, { ...checked(validateSubscription, merged), ...kept(stored.value) })
  })

  router.delete('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    settings.sessions.end(wanted(ctx).id, 'deleted')
    ctx.status = 204
  })

  settings.sessions.on('ended', ({ id }, cause) => {
    const { self, websockNotifConfig } = store.find(id)?.value ?? {}
    store.remove(id)
    const uri = websockNotifConfig?.websocketUri
    // @see TS 29.122 clause 5.14.2.1.5, UserPlaneNotificationData
    const event = cause === 'network-terminated' ? 'SESSION_TERMINATION' : 'LOSS_OF_BEARER'
    if (cause !== 'deleted') {
      settings.notifications.send(uri, { transaction: self, eventReports: [{ event }] })
    }
    settings.notifications.closeChannel(uri)
  })

  function owner(ctx: Context): Owner {
    return ownerOf(String(ctx.params.scsAsId), callerOf(ctx))
  }

  function wanted(ctx: Context) {
    return store.get(String(ctx.params.subscriptionId), owner(ctx))
  }

  function replace(ctx: Context, id: string, next: AsSessionWithQoSSubscription): void {
    checkRequest(next, callerOf(ctx))
    wanted(ctx).value = next
    apply(id, next, callerOf(ctx))
    ctx.body = next
  }

  function apply(id: string, subscription: AsSessionWithQoSSubscription, caller: Caller): void {
    const profile = qosProfile(subscription.qosReference ?? 'QOS_L')
    if (!profile) return
    const startedAtMs = settings.sessions.find(id)?.startedAtMs ?? Date.now()
    const seconds = subscription.qosDuration
    settings.sessions.set({
      id,
      subscriberId: caller.subscriber.id,
      issuer: caller.token.issuer,
      clientId: caller.clientId,
      profile,
      startedAtMs,
      ...(seconds === undefined ? {} : { expiresAtMs: startedAtMs + seconds * 1000 }),
    })
  }

  return router
}

/** What the schema cannot say: references exist, and the subscriber is the token's. */
function checkRequest(subscription: AsSessionWithQoSSubscription, caller: Caller): void {
  if (subscription.qosReference !== undefined && !qosProfile(subscription.qosReference)) {
    throw new Problem(400, {
      cause: 'INVALID_MSG_FORMAT',
      detail: 'the QoS reference is not one that this network has agreed to',
      invalidParams: [{ param: '/qosReference', reason: 'must name a known QoS profile' }],
    })
  }
  if (subscription.gpsi !== undefined && subscription.gpsi !== caller.subscriber.gpsi) {
    throw new Problem(403, {
      cause: 'USER_NOT_AUTHORIZED',
      detail: 'the access token is another subscriber’s',
    })
  }
}

function kept(stored: AsSessionWithQoSSubscription) {
  const { self, supportedFeatures, websockNotifConfig } = stored
  return {
    ...(websockNotifConfig === undefined ? {} : { websockNotifConfig }),
    ...(self === undefined ? {} : { self }),
    ...(supportedFeatures === undefined ? {} : { supportedFeatures }),
  }
}

/** @see RFC 7396 section 2; the members of this type are replaced as wholes */
function mergePatch(target: object, patch: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...target }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = value
  }
  return merged
}

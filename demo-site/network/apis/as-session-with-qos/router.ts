/**
 * Implements `3gpp-as-session-with-qos/v1`: an application requests a QoS session for the subscriber that its
 * access token identifies. @see TS 29.122 V19.6.0 clause 5.14
 */

import Router from '@koa/router'
import type { Context } from 'koa'
import type { CapifNotifications } from '../../capif-notifications.ts'
import { findQosProfile } from '../../user-plane/qos-profiles.ts'
import type { QosSessions } from '../../user-plane/qos-sessions.ts'
import { type Caller, callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { findExposedApi } from '../catalogue.ts'
import { parseJsonBody } from '../json-body.ts'
import { Problem } from '../problem-details.ts'
import { validateBody } from '../validation.ts'
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
  const api = findExposedApi(NAME)
  const resource = `${settings.apisOrigin}${api.path}`
  const store = new SubscriptionStore<AsSessionWithQoSSubscription>()
  const router = new Router({ prefix: api.path })
  router.use(requireToken(settings.trust, api, NAME), parseJsonBody())

  router.get('/:scsAsId/subscriptions', (ctx) => {
    ctx.body = store.list(getOwner(ctx)).map(({ value }) => value)
  })

  router.post('/:scsAsId/subscriptions', (ctx) => {
    const requested = validateBody(validateSubscription, ctx.request.body)
    checkRequest(requested, callerOf(ctx))
    const { id, value } = store.add(getOwner(ctx), (newId) => ({
      ...requested,
      self: `${resource}/${encodeURIComponent(String(ctx.params.scsAsId))}/subscriptions/${newId}`,
      supportedFeatures: '0',
      ...(requested.websockNotifConfig?.requestWebsocketUri === true
        ? {
            websockNotifConfig: {
              requestWebsocketUri: true,
              websocketUri: settings.notifications.openChannel(),
            },
          }
        : {}),
    }))
    setQosSession(id, value, callerOf(ctx))
    ctx.status = 201
    ctx.set('Location', value.self ?? '')
    ctx.body = value
  })

  router.get('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    ctx.body = findSubscription(ctx).value
  })

  router.put('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    const stored = findSubscription(ctx)
    const requested = validateBody(validateSubscription, ctx.request.body)
    replaceSubscription(ctx, stored.id, { ...requested, ...pickServerMembers(stored.value) })
  })

  router.patch('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    const stored = findSubscription(ctx)
    const patch = validateBody(validatePatch, ctx.request.body)
    const merged = mergePatch(stored.value, patch)
    replaceSubscription(ctx, stored.id, {
      ...validateBody(validateSubscription, merged),
      ...pickServerMembers(stored.value),
    })
  })

  router.delete('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    settings.sessions.end(findSubscription(ctx).id, 'deleted')
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

  function getOwner(ctx: Context): Owner {
    return ownerOf(String(ctx.params.scsAsId), callerOf(ctx))
  }

  function findSubscription(ctx: Context) {
    return store.get(String(ctx.params.subscriptionId), getOwner(ctx))
  }

  function replaceSubscription(ctx: Context, id: string, next: AsSessionWithQoSSubscription): void {
    checkRequest(next, callerOf(ctx))
    findSubscription(ctx).value = next
    setQosSession(id, next, callerOf(ctx))
    ctx.body = next
  }

  function setQosSession(
    id: string,
    subscription: AsSessionWithQoSSubscription,
    caller: Caller,
  ): void {
    const profile = findQosProfile(subscription.qosReference ?? 'QOS_L')
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

/** Checks what a schema cannot express: the QoS profile exists, and the subscriber is that of the token. */
function checkRequest(subscription: AsSessionWithQoSSubscription, caller: Caller): void {
  if (subscription.qosReference !== undefined && !findQosProfile(subscription.qosReference)) {
    throw new Problem(400, {
      cause: 'INVALID_MSG_FORMAT',
      detail: 'the QoS reference is unknown to this network',
      invalidParams: [{ param: '/qosReference', reason: 'must name a known QoS profile' }],
    })
  }
  if (subscription.gpsi !== undefined && subscription.gpsi !== caller.subscriber.gpsi) {
    throw new Problem(403, {
      cause: 'USER_NOT_AUTHORIZED',
      detail: 'the access token belongs to another subscriber',
    })
  }
}

function pickServerMembers(stored: AsSessionWithQoSSubscription) {
  const { self, supportedFeatures, websockNotifConfig } = stored
  return {
    ...(websockNotifConfig === undefined ? {} : { websockNotifConfig }),
    ...(self === undefined ? {} : { self }),
    ...(supportedFeatures === undefined ? {} : { supportedFeatures }),
  }
}

/** Merges a patch. The members of this type are replaced, not merged recursively. @see RFC 7396 section 2 */
function mergePatch(target: object, patch: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...target }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = value
  }
  return merged
}

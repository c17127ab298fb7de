/**
 * Implements `3gpp-monitoring-event/v1`: reports the location of the subscriber's UE. A request for one report is
 * answered at once; further reports are sent over a WebSocket. @see TS 29.122 V19.5.0 clause 5.3
 */

import Router from '@koa/router'
import type { Context } from 'koa'
import type { CapifNotifications } from '../../capif-notifications.ts'
import { callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { type Owner, ownerOf, SubscriptionStore } from '../as-session-with-qos/store.ts'
import { findExposedApi } from '../catalogue.ts'
import { parseJsonBody } from '../json-body.ts'
import { Problem } from '../problem-details.ts'
import { validateBody } from '../validation.ts'
import { createLocationReport } from './location-report.ts'
import { type MonitoringEventSubscription, validateSubscription } from './subscription.ts'

const NAME = '3gpp-monitoring-event'
const DEFAULT_PERIOD_SECONDS = 10

export interface MonitoringEventSettings {
  apisOrigin: string
  trust: TokenTrust
  notifications: CapifNotifications
}

export function monitoringEventRouter(settings: MonitoringEventSettings): Router {
  const { apisOrigin, trust, notifications } = settings
  const api = findExposedApi(NAME)
  const resource = `${apisOrigin}${api.path}`
  const store = new SubscriptionStore<MonitoringEventSubscription>()
  const reportTimers = new Map<string, NodeJS.Timeout>()
  const router = new Router({ prefix: api.path })
  router.use(requireToken(trust, api, NAME), parseJsonBody())

  router.get('/:scsAsId/subscriptions', (ctx) => {
    ctx.body = store.list(getOwner(ctx)).map(({ value }) => value)
  })

  router.post('/:scsAsId/subscriptions', (ctx) => {
    const requested = validateBody(validateSubscription, ctx.request.body)
    requireOwnNumber(requested, ctx)
    const report = createLocationReport(callerOf(ctx).subscriber, requested.accuracy)
    if (requested.maximumNumberOfReports === 1) {
      // A one-time request has no resource. @see TS 29.122 clause 4.4.2.2.2.1
      ctx.body = report
      return
    }
    const { id, value } = store.add(getOwner(ctx), (newId) => ({
      ...requested,
      self: `${resource}/${encodeURIComponent(String(ctx.params.scsAsId))}/subscriptions/${newId}`,
      supportedFeatures: '0',
      monitoringEventReport: report,
      ...(requested.websockNotifConfig?.requestWebsocketUri === true
        ? {
            websockNotifConfig: {
              requestWebsocketUri: true,
              websocketUri: notifications.openChannel(),
            },
          }
        : {}),
    }))
    startReports(id, value, ctx)
    ctx.status = 201
    ctx.set('Location', value.self ?? '')
    ctx.body = value
  })

  router.get('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    ctx.body = findSubscription(ctx).value
  })

  router.delete('/:scsAsId/subscriptions/:subscriptionId', (ctx) => {
    const { id } = findSubscription(ctx)
    endSubscription(id)
    ctx.status = 204
  })

  function getOwner(ctx: Context): Owner {
    return ownerOf(String(ctx.params.scsAsId), callerOf(ctx))
  }

  function findSubscription(ctx: Context) {
    return store.get(String(ctx.params.subscriptionId), getOwner(ctx))
  }

  function endSubscription(id: string): void {
    clearInterval(reportTimers.get(id))
    reportTimers.delete(id)
    notifications.closeChannel(store.find(id)?.value.websockNotifConfig?.websocketUri)
    store.remove(id)
  }

  /** Sends reports until their number or their time is reached, or the token is revoked. */
  function startReports(id: string, value: MonitoringEventSubscription, ctx: Context): void {
    const { subscriber, token } = callerOf(ctx)
    const uri = value.websockNotifConfig?.websocketUri
    const endsAtMs = value.monitorExpireTime
      ? Date.parse(value.monitorExpireTime)
      : Number.POSITIVE_INFINITY
    let reportsLeft = value.maximumNumberOfReports ?? Number.POSITIVE_INFINITY
    const sendReport = () => {
      if (token.revoked || reportsLeft <= 0 || Date.now() >= endsAtMs) return endSubscription(id)
      reportsLeft -= 1
      notifications.send(uri, {
        subscription: value.self,
        monitoringEventReports: [createLocationReport(subscriber, value.accuracy)],
      })
    }
    const timer = setInterval(sendReport, (value.repPeriod ?? DEFAULT_PERIOD_SECONDS) * 1000)
    timer.unref()
    reportTimers.set(id, timer)
  }

  return router
}

function requireOwnNumber({ msisdn, externalId }: MonitoringEventSubscription, ctx: Context): void {
  const { subscriber } = callerOf(ctx)
  const isOtherNumber = msisdn !== undefined && `msisdn-${msisdn}` !== subscriber.gpsi
  if (!isOtherNumber && externalId === undefined) return
  throw new Problem(403, {
    cause: 'USER_NOT_AUTHORIZED',
    detail: 'the access token belongs to another subscriber',
  })
}

/** Serves the API exposing functions (TS 23.222 clause 3.1): one HTTP server with one router per API. */

import Koa from 'koa'
import type { CapifNotifications } from '../capif-notifications.ts'
import type { RunningServer } from '../http/serve.ts'
import type { QosSessions } from '../user-plane/qos-sessions.ts'
import type { TokenTrust } from './access-token.ts'
import { asSessionWithQosRouter } from './as-session-with-qos/router.ts'
import { locationVerificationRouter } from './camara/location-verification.ts'
import { numberVerificationRouter } from './camara/number-verification.ts'
import { qualityOnDemandRouter } from './camara/quality-on-demand.ts'
import { allowAnyOrigin } from './cors.ts'
import { monitoringEventRouter } from './monitoring-event/router.ts'
import { handleProblems } from './problem-details.ts'

export interface ApiSettings {
  apisOrigin: string
  trust: TokenTrust
  sessions: QosSessions
  notifications: CapifNotifications
}

export function startApis(server: RunningServer, settings: ApiSettings): void {
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
  })
  app.use(allowAnyOrigin())
  app.use(handleProblems())
  const routers = [
    asSessionWithQosRouter(settings),
    monitoringEventRouter(settings),
    qualityOnDemandRouter(settings),
    numberVerificationRouter(settings),
    locationVerificationRouter(settings),
  ]
  for (const router of routers) app.use(router.routes()).use(router.allowedMethods())
  server.handleUpgrade(settings.notifications.handleUpgrade)
  const callback = app.callback()
  server.handle((request, answer) => callback(request, answer))
}

/** Implements CAMARA Quality on Demand, version 1: sessions with a QoS profile for the subscriber's device. */

import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import type { Context } from 'koa'
import { findQosProfile } from '../../user-plane/qos-profiles.ts'
import type { EndCause, QosSessions } from '../../user-plane/qos-sessions.ts'
import { callerOf, requireToken, type TokenTrust } from '../access-token.ts'
import { findExposedApi } from '../catalogue.ts'
import { parseJsonBody } from '../json-body.ts'
import { compileSchema, validateBody } from '../validation.ts'
import { CamaraError, handleCamaraErrors, rejectDeviceMember } from './errors.ts'

interface CreateSession {
  applicationServer: { ipv4Address?: string; ipv6Address?: string }
  qosProfile: string
  duration: number
  sink?: string
}

interface Session {
  owner: string
  info: Record<string, unknown> & { sessionId: string; duration: number; qosStatus: string }
}

const ports = {
  type: 'object',
  minProperties: 1,
  properties: {
    ranges: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['from', 'to'],
        properties: { from: { type: 'integer' }, to: { type: 'integer' } },
      },
    },
    ports: { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0, maximum: 65535 } },
  },
} as const

const validateCreate = compileSchema<CreateSession>({
  type: 'object',
  required: ['applicationServer', 'qosProfile', 'duration'],
  properties: {
    applicationServer: {
      type: 'object',
      minProperties: 1,
      properties: { ipv4Address: { type: 'string' }, ipv6Address: { type: 'string' } },
    },
    devicePorts: ports,
    applicationServerPorts: ports,
    qosProfile: { type: 'string', pattern: '^[a-zA-Z0-9_.-]{3,256}$' },
    sink: { type: 'string', format: 'uri', pattern: '^https://' },
    duration: { type: 'integer', minimum: 1, maximum: 2_147_483_647 },
  },
})

const validateExtend = compileSchema<{ requestedAdditionalDuration: number }>({
  type: 'object',
  required: ['requestedAdditionalDuration'],
  properties: {
    requestedAdditionalDuration: { type: 'integer', minimum: 1, maximum: 2_147_483_647 },
  },
})

const STATUS_INFO: Readonly<Record<EndCause, string>> = {
  'duration-expired': 'DURATION_EXPIRED',
  'network-terminated': 'NETWORK_TERMINATED',
  deleted: 'DELETE_REQUESTED',
}

/** Time for which an ended session can still be read. */
const RETENTION_MS = 6 * 60 * 1000

export function qualityOnDemandRouter({
  trust,
  sessions,
}: {
  trust: TokenTrust
  sessions: QosSessions
}): Router {
  const api = findExposedApi('quality-on-demand')
  const router = new Router({ prefix: api.path })
  const byId = new Map<string, Session>()
  const requireScope = (operation: string) =>
    requireToken(trust, api, `quality-on-demand:sessions:${operation}`)
  router.use(handleCamaraErrors())

  router.post('/sessions', requireScope('create'), parseJsonBody(), (ctx) => {
    rejectDeviceMember(ctx.request.body)
    const requested = validateBody(validateCreate, ctx.request.body)
    const profile = findQosProfile(requested.qosProfile)
    if (!profile) throw new CamaraError(400, 'INVALID_ARGUMENT', 'The QoS profile is unknown.')
    checkDuration(requested.duration, profile.maxDurationSeconds)
    const sessionId = randomUUID()
    const startedAtMs = Date.now()
    const expiresAtMs = startedAtMs + requested.duration * 1000
    const info = {
      ...requested,
      sessionId,
      qosStatus: 'AVAILABLE',
      startedAt: new Date(startedAtMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    }
    byId.set(sessionId, { owner: ownerOf(ctx), info })
    const { subscriber, clientId, token } = callerOf(ctx)
    sessions.set({
      id: sessionId,
      subscriberId: subscriber.id,
      issuer: token.issuer,
      clientId,
      profile,
      startedAtMs,
      expiresAtMs,
    })
    ctx.status = 201
    ctx.set('Location', `http://${ctx.host}${api.path}/sessions/${sessionId}`)
    ctx.body = info
  })

  router.get('/sessions/:sessionId', requireScope('read'), (ctx) => {
    ctx.body = findSession(ctx).info
  })

  router.delete('/sessions/:sessionId', requireScope('delete'), (ctx) => {
    const { info } = findSession(ctx)
    byId.delete(info.sessionId)
    sessions.end(info.sessionId, 'deleted')
    ctx.status = 204
  })

  router.post('/sessions/:sessionId/extend', requireScope('update'), parseJsonBody(), (ctx) => {
    const { info } = findSession(ctx)
    const { requestedAdditionalDuration } = validateBody(validateExtend, ctx.request.body)
    const session = sessions.find(info.sessionId)
    if (!session) {
      throw new CamaraError(
        409,
        'QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED',
        'The session has ended.',
      )
    }
    const maxDurationSeconds = session.profile.maxDurationSeconds
    info.duration = Math.min(info.duration + requestedAdditionalDuration, maxDurationSeconds)
    const expiresAtMs = session.startedAtMs + info.duration * 1000
    info.expiresAt = new Date(expiresAtMs).toISOString()
    sessions.set({ ...session, expiresAtMs })
    ctx.body = info
  })

  router.post('/retrieve-sessions', requireScope('retrieve-by-device'), parseJsonBody(), (ctx) => {
    rejectDeviceMember(ctx.request.body)
    const owner = ownerOf(ctx)
    ctx.body = [...byId.values()]
      .filter((session) => session.owner === owner)
      .map(({ info }) => info)
  })

  sessions.on('ended', ({ id, startedAtMs }, cause) => {
    const info = byId.get(id)?.info
    if (!info) return
    info.qosStatus = 'UNAVAILABLE'
    info.statusInfo = STATUS_INFO[cause]
    info.duration = Math.max(1, Math.round((Date.now() - startedAtMs) / 1000))
    setTimeout(() => byId.delete(id), RETENTION_MS).unref()
  })

  function findSession(ctx: Context): Session {
    const session = byId.get(String(ctx.params.sessionId))
    if (session?.owner === ownerOf(ctx)) return session
    throw new CamaraError(404, 'NOT_FOUND', 'There is no such session.')
  }

  return router
}

function ownerOf(ctx: Context): string {
  const { clientId, subscriber } = callerOf(ctx)
  return JSON.stringify([clientId, subscriber.id])
}

function checkDuration(seconds: number, maxSeconds: number): void {
  if (seconds <= maxSeconds) return
  throw new CamaraError(
    400,
    'QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE',
    'The duration is longer than the QoS profile allows.',
  )
}

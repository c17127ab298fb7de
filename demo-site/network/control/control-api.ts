/**
 * Serves the control API of the network on loopback: faults, request log, access network, revocation, key
 * rotation. It is made for tests of this project and of other clients. `/openapi.json` describes it.
 */

import Router from '@koa/router'
import Koa from 'koa'
import { parseJsonBody } from '../apis/json-body.ts'
import { handleProblems, Problem } from '../apis/problem-details.ts'
import { compileSchema, validateBody } from '../apis/validation.ts'
import type { Faults } from '../faults/faults.ts'
import { validateFaultRule } from '../faults/rule.ts'
import type { RunningServer } from '../http/serve.ts'
import type { Network } from '../network.ts'
import type { RevocationCause } from '../revocation.ts'
import { describeControlApi, REVOCATION_SCHEMA } from './description.ts'

interface RevocationRequest {
  issuer: string
  subscriber: string
  clientId: string
  cause?: RevocationCause
}

const validateRevocation = compileSchema<RevocationRequest>(REVOCATION_SCHEMA)
const validateAttachment = compileSchema<{ subscriber: string }>({
  type: 'object',
  required: ['subscriber'],
  additionalProperties: false,
  properties: { subscriber: { type: 'string' } },
})
const validateRotation = compileSchema<{ issuer: string }>({
  type: 'object',
  required: ['issuer'],
  additionalProperties: false,
  properties: { issuer: { type: 'string' } },
})

export type ControlledNetwork = Omit<Network, 'close' | 'controlOrigin'>

export function startControl(server: RunningServer, network: ControlledNetwork): void {
  const router = new Router()
  router.use(parseJsonBody())

  router.get('/openapi.json', (ctx) => {
    ctx.body = describeControlApi()
  })
  router.get('/network', (ctx) => {
    const { issuer, origin, apisOrigin, userPlaneOrigin, operatorProfiles, subscribers } = network
    ctx.body = {
      issuer,
      origin,
      apisOrigin,
      userPlaneOrigin,
      operatorProfiles,
      subscribers: subscribers.all.map(({ id, name, gpsi, phoneNumber }) => ({
        id,
        name,
        gpsi,
        phoneNumber,
      })),
    }
  })

  mountFaults(router, network.faults)

  router.get('/log', (ctx) => {
    const filterMembers = ['server', 'method', 'path'].flatMap((name) => {
      const value = ctx.query[name]
      return typeof value === 'string' ? [[name, value]] : []
    })
    ctx.body = network.log.filter(Object.fromEntries(filterMembers))
  })
  router.delete('/log', (ctx) => {
    network.log.clear()
    ctx.status = 204
  })

  router.get('/access-network', (ctx) => {
    ctx.body = network.accessNetwork.attached
  })
  router.put('/access-network/:address', (ctx) => {
    const { subscriber } = validateBody(validateAttachment, ctx.request.body)
    if (!network.subscribers.byId(subscriber)) throw createUnknownMemberProblem('/subscriber')
    network.accessNetwork.attach(String(ctx.params.address), subscriber)
    ctx.status = 204
  })
  router.delete('/access-network/:address', (ctx) => {
    network.accessNetwork.detach(String(ctx.params.address))
    ctx.status = 204
  })

  router.get('/messages/:phoneNumber', (ctx) => {
    ctx.body = network.messages.inbox(String(ctx.params.phoneNumber))
  })

  router.post('/revocations', async (ctx) => {
    const request = validateBody(validateRevocation, ctx.request.body)
    const { issuer, subscriber, clientId, cause } = request
    if (!(await network.revoke(issuer, subscriber, clientId, cause))) {
      throw new Problem(404, { detail: 'there is no such authorization' })
    }
    ctx.status = 204
  })

  router.post('/key-rotations', async (ctx) => {
    const { issuer } = validateBody(validateRotation, ctx.request.body)
    if (!network.operatorProfiles.some((profile) => profile.issuer === issuer))
      throw createUnknownMemberProblem('/issuer')
    await network.rotateKeys(issuer)
    ctx.status = 204
  })

  const app = new Koa()
  app.silent = true
  app.use(handleProblems())
  app.use(async (ctx, next) => {
    // A web page must not reach the control API, neither by fetch nor by DNS rebinding to loopback.
    const local = /^(localhost|127(\.\d+){3})$/.test(ctx.hostname)
    if (!local || ctx.get('origin') !== '') throw new Problem(403)
    ctx.set('Cache-Control', 'no-store')
    await next()
  })
  app.use(router.routes()).use(router.allowedMethods())
  const callback = app.callback()
  server.handle((request, answer) => callback(request, answer))
}

function mountFaults(router: Router, faults: Faults): void {
  router.get('/faults', (ctx) => {
    ctx.body = faults.active
  })
  router.post('/faults', (ctx) => {
    const id = faults.add(validateBody(validateFaultRule, ctx.request.body))
    ctx.status = 201
    ctx.set('Location', `http://${ctx.host}/faults/${id}`)
    ctx.body = faults.find(id)
  })
  router.delete('/faults', (ctx) => {
    faults.clear()
    ctx.status = 204
  })
  router.get('/faults/:id', (ctx) => {
    const fault = faults.find(String(ctx.params.id))
    if (!fault) throw new Problem(404, { detail: 'there is no such fault' })
    ctx.body = fault
  })
  router.delete('/faults/:id', (ctx) => {
    if (!faults.remove(String(ctx.params.id))) {
      throw new Problem(404, { detail: 'there is no such fault' })
    }
    ctx.status = 204
  })
}

function createUnknownMemberProblem(param: string): Problem {
  return new Problem(400, { invalidParams: [{ param, reason: 'is unknown' }] })
}

/**
 * Serves the resource owner function: a subscriber sees the authorized applications and revokes their access.
 * @see TS 23.222 clauses 6.3.7 and 8.35
 */

import { randomBytes } from 'node:crypto'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { RegistrationResponseJSON } from '@simplewebauthn/server'
import Koa, { type Context } from 'koa'
import { LRUCache } from 'lru-cache'
import { mountAssets } from '../authorization-function/assets.ts'
import type {
  AuthorizationServer,
  FindHandler,
} from '../authorization-function/authorization-function.ts'
import type { Passkeys } from '../authorization-function/passkeys.ts'
import { Phones } from '../authorization-function/phone-page.tsx'
import { renderScreen } from '../authorization-function/screens/render.ts'
import { readFormField } from '../authorization-function/sign-in-methods.ts'
import type { Operator } from '../operator.ts'
import type { Revocations } from '../revocations.ts'
import type { Subscriber, SubscriberDirectory } from '../subscribers.ts'
import type { TextMessages } from '../text-messages.ts'
import { Account, AccountSignIn } from './account-page.tsx'
import { listAuthorizedApplications } from './authorized-applications.ts'

export interface ResourceOwnerSettings {
  /** Origin that serves the pages. */
  origin: string
  operator: Operator
  subscribers: SubscriberDirectory
  servers: readonly AuthorizationServer[]
  revocations: Revocations
  messages: TextMessages
  passkeys: Passkeys
}

const SESSION_MS = 30 * 60 * 1000
const PATHS = /^\/(account|phone|assets)(\/|$)/

/** Creates the handlers of the account and phone pages, on the server of the issuers. */
export function createResourceOwnerFunction(settings: ResourceOwnerSettings): FindHandler {
  const { subscribers, servers, revocations, passkeys, operator } = settings
  const frame = { operator, styleSheet: '/assets/operator.css' }
  const sessions = new LRUCache<string, string>({ max: 1000, ttl: SESSION_MS })
  const cookie = `account_${new URL(settings.origin).port}`
  const router = new Router()

  function findSignedInSubscriber(ctx: Context): Subscriber | undefined {
    const id = sessions.get(ctx.cookies.get(cookie) ?? '')
    return id === undefined ? undefined : subscribers.byId(id)
  }

  function showSignIn(ctx: Context, error?: string): void {
    const { phoneNumber = '', password = '' } = subscribers.all[0] ?? {}
    const props = { ...frame, hint: { phoneNumber, password } }
    renderScreen(ctx, AccountSignIn, error === undefined ? props : { ...props, error }, {
      status: error === undefined ? 200 : 422,
    })
  }

  async function showAccount(ctx: Context, subscriber: Subscriber, revoked?: string) {
    renderScreen(
      ctx,
      Account,
      {
        ...frame,
        subscriber,
        applications: await listAuthorizedApplications(servers, subscriber.id),
        passkeys: passkeys.countBySubscriber(subscriber.id),
        script: '/assets/passkey.js',
        ...(revoked === undefined ? {} : { revoked }),
      },
      { script: true },
    )
  }

  router.get('/account', async (ctx) => {
    const subscriber = findSignedInSubscriber(ctx)
    if (subscriber) await showAccount(ctx, subscriber)
    else showSignIn(ctx)
  })

  router.post('/account/sign-in', bodyParser(), (ctx) => {
    const subscriber = subscribers.byPhoneNumber(readFormField(ctx, 'phone_number'))
    if (!subscriber || subscriber.password !== readFormField(ctx, 'password')) {
      return showSignIn(ctx, 'We do not know this phone number with this password.')
    }
    const id = randomBytes(32).toString('base64url')
    sessions.set(id, subscriber.id)
    ctx.cookies.set(cookie, id, { httpOnly: true, sameSite: 'strict', path: '/account' })
    ctx.status = 303
    return ctx.redirect('/account')
  })

  router.post('/account/sign-out', (ctx) => {
    sessions.delete(ctx.cookies.get(cookie) ?? '')
    ctx.cookies.set(cookie, null, { path: '/account' })
    ctx.status = 303
    ctx.redirect('/account')
  })

  router.post('/account/revoke', bodyParser(), async (ctx) => {
    const subscriber = findSignedInSubscriber(ctx)
    if (!subscriber) return showSignIn(ctx)
    const issuer = readFormField(ctx, 'issuer')
    const clientId = readFormField(ctx, 'client_id')
    const server = servers.find((candidate) => candidate.settings.issuer === issuer)
    const name = (await server?.clientName(clientId)) ?? clientId
    const wasRevoked = await revocations.revoke(issuer, subscriber.id, clientId)
    return showAccount(ctx, subscriber, wasRevoked ? name : undefined)
  })

  router.post('/account/passkey-options', async (ctx) => {
    const subscriber = findSignedInSubscriber(ctx)
    if (!subscriber) return ctx.throw(401)
    ctx.set('Cache-Control', 'no-store')
    ctx.body = await passkeys.createRegistrationOptions(`account ${subscriber.id}`, subscriber)
  })

  router.post('/account/passkey', bodyParser(), async (ctx) => {
    const subscriber = findSignedInSubscriber(ctx)
    if (!subscriber) return showSignIn(ctx)
    const response = parseAssertion(readFormField(ctx, 'assertion'))
    await passkeys.register(`account ${subscriber.id}`, subscriber, response)
    ctx.status = 303
    return ctx.redirect('/account')
  })

  router.get('/phone', (ctx) => {
    renderScreen(ctx, Phones, { ...frame, subscribers, messages: settings.messages })
  })

  const app = new Koa()
  app.silent = true
  mountAssets(app)
  app.use(router.routes()).use(router.allowedMethods())
  const callback = app.callback()
  return (path) => (PATHS.test(path) ? (request, answer) => callback(request, answer) : undefined)
}

function parseAssertion(text: string): RegistrationResponseJSON {
  try {
    return JSON.parse(text)
  } catch {
    return {} as RegistrationResponseJSON
  }
}

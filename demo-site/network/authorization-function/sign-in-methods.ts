/**
 * Authenticates a subscriber whom the access network does not identify: by password, by a one-time code sent to
 * the phone, or by a passkey.
 */

import { bodyParser } from '@koa/bodyparser'
import type Router from '@koa/router'
import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import type { Context } from 'koa'
import type { InteractionResults, Provider } from 'oidc-provider'
import { DEFAULT_OPERATOR } from '../operator.ts'
import type { Subscriber } from '../subscribers.ts'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'
import { OneTimeCodes } from './one-time-codes.ts'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

export interface SignInState {
  phoneNumber?: string
  error?: string
  /** Whether the screen asks for the code that was sent. */
  codeSent?: boolean
}

interface Screens {
  showSignIn(ctx: Context, interaction: Interaction, state?: SignInState): Promise<void>
  finishInteraction(ctx: Context, result: InteractionResults): Promise<void>
}

const WRONG_PASSWORD =
  'We do not know this phone number with this password. Check both and try again.'
const WRONG_CODE = 'This is not the code that we sent, or it is too old. Ask for a new one.'
const WRONG_PASSKEY = 'This passkey does not sign you in. Use another way.'

/** Adds the routes of the sign-in methods. @see RFC 8176 for the names of the methods */
export function mountSignIn(
  router: Router,
  provider: Provider,
  settings: AuthorizationServerSettings,
  { showSignIn, finishInteraction }: Screens,
): void {
  const { subscribers, messages, passkeys } = settings
  const operator = settings.options.operator ?? DEFAULT_OPERATOR
  const codes = new OneTimeCodes(messages, operator.name)
  const getInteraction = (ctx: Context) => provider.interactionDetails(ctx.req, ctx.res)

  function completeSignIn(ctx: Context, subscriber: Subscriber, method: string): Promise<void> {
    return finishInteraction(ctx, {
      login: { accountId: subscriber.id, amr: [method], remember: true },
    })
  }

  router.post('/interaction/:uid/password', bodyParser(), async (ctx) => {
    const interaction = await getInteraction(ctx)
    const phoneNumber = readFormField(ctx, 'phone_number')
    const subscriber = subscribers.byPhoneNumber(phoneNumber)
    if (subscriber && subscriber.password === readFormField(ctx, 'password')) {
      return completeSignIn(ctx, subscriber, 'pwd')
    }
    return showSignIn(ctx, interaction, { phoneNumber, error: WRONG_PASSWORD })
  })

  router.post('/interaction/:uid/send-code', bodyParser(), async (ctx) => {
    const interaction = await getInteraction(ctx)
    const phoneNumber = readFormField(ctx, 'phone_number')
    const subscriber = subscribers.byPhoneNumber(phoneNumber)
    // An unknown number gets the same answer, so that it cannot be told from a known one.
    if (subscriber) codes.sendCode(interaction.uid, subscriber)
    return showSignIn(ctx, interaction, { phoneNumber, codeSent: true })
  })

  router.post('/interaction/:uid/code', bodyParser(), async (ctx) => {
    const interaction = await getInteraction(ctx)
    const subscriber = codes.redeemCode(interaction.uid, readFormField(ctx, 'code'))
    if (subscriber) return completeSignIn(ctx, subscriber, 'otp')
    const codeSent = codes.isPending(interaction.uid)
    return showSignIn(ctx, interaction, { codeSent, error: WRONG_CODE })
  })

  router.post('/interaction/:uid/passkey-options', async (ctx) => {
    const { uid } = await getInteraction(ctx)
    ctx.set('Cache-Control', 'no-store')
    ctx.body = await passkeys.createAuthenticationOptions(`sign-in ${uid}`)
  })

  router.post('/interaction/:uid/passkey', bodyParser(), async (ctx) => {
    const interaction = await getInteraction(ctx)
    const id = await passkeys.authenticate(`sign-in ${interaction.uid}`, parseAssertion(ctx))
    const subscriber = id === undefined ? undefined : subscribers.byId(id)
    if (subscriber) return completeSignIn(ctx, subscriber, 'swk')
    return showSignIn(ctx, interaction, { error: WRONG_PASSKEY })
  })
}

/** Parses the assertion, which a form field carries as JSON. Verification rejects a malformed one. */
function parseAssertion(ctx: Context): AuthenticationResponseJSON {
  try {
    return JSON.parse(readFormField(ctx, 'assertion'))
  } catch {
    return {} as AuthenticationResponseJSON
  }
}

/** Reads a field of the posted form; an absent or repeated field is an empty string. */
export function readFormField(ctx: Context, name: string): string {
  const body: unknown = ctx.request.body
  const value = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  return typeof value === 'string' ? value : ''
}

/**
 * Handles the interaction with the subscriber during an authorization request: sign-in, then consent. A cookie
 * that oidc-provider checks binds each step to the browser that sent the request.
 */

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Context } from 'koa'
import type { InteractionResults, Provider } from 'oidc-provider'
import type { AuthorizationServerSettings } from './authorization-server-settings.ts'
import { getConsentDetails, grantRequestedScopes } from './resource-owner-consent.ts'
import { Consent } from './screens/consent.tsx'
import {
  getBasePath,
  getLayoutProps,
  renderErrorScreen,
  renderScreen,
  setSecurityHeaders,
} from './screens/render.ts'
import { SignIn } from './screens/sign-in.tsx'
import { mountSignIn, readFormField, type SignInState } from './sign-in-methods.ts'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

/** Adds the routes of the screens to an authorization server. */
export function mountInteractions(provider: Provider, settings: AuthorizationServerSettings): void {
  const router = new Router()
  const getInteractionPath = (uid: string) => `${getBasePath(settings.issuer)}/interaction/${uid}`

  router.get('/interaction/:uid', async (ctx) => {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    if (interaction.prompt.name === 'consent') await showConsent(ctx, interaction)
    else await showSignIn(ctx, interaction)
  })

  mountSignIn(router, provider, settings, { showSignIn, finishInteraction })

  router.post('/interaction/:uid/consent', bodyParser(), async (ctx) => {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    if (interaction.prompt.name !== 'consent') return ctx.throw(400)
    if (readFormField(ctx, 'decision') !== 'allow') return denyAuthorization(ctx)
    const grantId = await grantRequestedScopes(provider, interaction, settings)
    await finishInteraction(ctx, { consent: { grantId } })
  })

  router.post('/interaction/:uid/cancel', bodyParser(), denyAuthorization)

  async function showSignIn(
    ctx: Context,
    interaction: Interaction,
    state: SignInState = {},
  ): Promise<void> {
    const hint = settings.subscribers.all[0]
    const client = await provider.Client.find(String(interaction.params.client_id))
    const phoneNumber = state.phoneNumber ?? readLoginHint(interaction, settings) ?? ''
    renderScreen(
      ctx,
      SignIn,
      {
        ...getLayoutProps(settings),
        ...state,
        action: getInteractionPath(interaction.uid),
        application: client?.clientName ?? client?.clientId ?? 'An application',
        phoneNumber,
        script: `${getBasePath(settings.issuer)}/assets/passkey.js`,
        hint: { phoneNumber: hint?.phoneNumber ?? '', password: hint?.password ?? '' },
      },
      {
        status: state.error === undefined ? 200 : 422,
        formTargets: getRedirectOrigins(interaction),
        script: true,
      },
    )
  }

  async function showConsent(ctx: Context, interaction: Interaction): Promise<void> {
    const client = await provider.Client.find(String(interaction.params.client_id))
    const subscriber = settings.subscribers.byId(interaction.session?.accountId ?? '')
    if (!client || !subscriber) return ctx.throw(400)
    renderScreen(
      ctx,
      Consent,
      {
        ...getLayoutProps(settings),
        ...getConsentDetails(interaction, settings),
        action: getInteractionPath(interaction.uid),
        application: client.clientName ?? client.clientId,
        clientId: client.clientId,
        subscriber,
      },
      { formTargets: getRedirectOrigins(interaction) },
    )
  }

  async function finishInteraction(ctx: Context, result: InteractionResults): Promise<void> {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, {
      mergeWithLastSubmission: true,
    })
    if (result.login) await changeSessionAccount(provider, interaction, result.login.accountId)
    setSecurityHeaders(ctx, { formTargets: getRedirectOrigins(interaction) })
    ctx.status = 303
    ctx.redirect(returnTo)
  }

  function denyAuthorization(ctx: Context): Promise<void> {
    return finishInteraction(ctx, {
      error: 'access_denied',
      error_description: 'the resource owner did not authorize the request',
    })
  }

  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next()
    try {
      await next()
    } catch (error) {
      // A form that is submitted late, twice or by another browser: there is no redirect URI to answer to.
      const { statusCode, error: code, error_description: description } = Object(error)
      ctx.status = typeof statusCode === 'number' ? statusCode : 500
      renderErrorScreen(ctx, settings, { error: code, error_description: description })
    }
  })
  provider.use(router.routes())
}

/**
 * Moves the session to another account, when a second subscriber signs in with the same browser. The
 * authorizations of the first subscriber are removed from it.
 */
async function changeSessionAccount(
  provider: Provider,
  interaction: Interaction,
  accountId: string,
): Promise<void> {
  const earlierSession = interaction.session
  if (
    !earlierSession ||
    earlierSession.accountId === undefined ||
    earlierSession.accountId === accountId
  )
    return
  const session = await provider.Session.findByUid(earlierSession.uid)
  if (!session) return
  session.accountId = accountId
  session.authorizations = {}
  await session.persist()
}

function readLoginHint(
  interaction: Interaction,
  { subscribers }: AuthorizationServerSettings,
): string | undefined {
  const hint = interaction.params.login_hint
  return typeof hint === 'string' ? subscribers.byPhoneNumber(hint)?.phoneNumber : undefined
}

function getRedirectOrigins(interaction: Interaction): string[] {
  const uri = interaction.params.redirect_uri
  return typeof uri === 'string' ? [new URL(uri).origin] : []
}

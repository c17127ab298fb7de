/**
 * Renders a screen with its security headers. The content security policy allows no inline script. It lets a form
 * lead to the redirect URI of the client, because Chromium applies `form-action` to redirects.
 */

import type { Context } from 'koa'
import { type FunctionComponent, h } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { DEFAULT_OPERATOR } from '../../operator.ts'
import type { NetworkOptions } from '../../options.ts'
import { Problem } from './problem.tsx'

export interface ScreenSettings {
  issuer: string
  options: Pick<NetworkOptions, 'operator'>
}

/** Returns the path of the issuer without a trailing slash. Its routes are mounted below it. */
export function getBasePath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '')
}

/** Returns the layout properties that every screen has. */
export function getLayoutProps(settings: ScreenSettings) {
  return {
    operator: settings.options.operator ?? DEFAULT_OPERATOR,
    styleSheet: `${getBasePath(settings.issuer)}/assets/operator.css`,
  }
}

export interface RenderOptions {
  status?: number
  /** Origins that a form submission of this screen may be redirected to. */
  formTargets?: readonly string[]
  /** Whether the screen loads the passkey script. */
  script?: boolean
}

export function renderScreen<Props extends object>(
  ctx: Context,
  screen: FunctionComponent<Props>,
  props: Props,
  options: RenderOptions = {},
): void {
  ctx.status = options.status ?? 200
  ctx.type = 'html'
  setSecurityHeaders(ctx, options)
  ctx.body = `<!doctype html>${renderToString(h(screen, props))}`
}

export function renderErrorScreen(
  ctx: Context,
  settings: ScreenSettings,
  out: { error?: unknown; error_description?: unknown },
): void {
  const text = (value: unknown, fallback: string) => (typeof value === 'string' ? value : fallback)
  renderScreen(
    ctx,
    Problem,
    {
      ...getLayoutProps(settings),
      error: text(out.error, 'server_error'),
      description: text(out.error_description, 'Something went wrong on our side.'),
    },
    { status: ctx.status >= 400 ? ctx.status : 500 },
  )
}

/** @see RFC 9700 section 4.16 (clickjacking), section 4.2.4 (referrer) */
export function setSecurityHeaders(
  ctx: Context,
  { formTargets = [], script = false }: RenderOptions,
): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.set('X-Frame-Options', 'DENY')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set(
    'Content-Security-Policy',
    [
      "default-src 'none'",
      "style-src 'self'",
      'img-src data:',
      ...(script ? ["script-src 'self'", "connect-src 'self'"] : []),
      `form-action ${["'self'", ...formTargets].join(' ')}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  )
}

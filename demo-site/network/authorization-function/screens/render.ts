/**
 * Turns a screen into an answer: markup, and the headers that keep it where it belongs. The policy
 * allows no script, and lets a form go on to the client's redirect URI, which Chromium checks.
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

/** Path of the issuer without a slash at its end: what its routes are mounted below. */
export function getBasePath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '')
}

/** What every screen gets. */
export function getLayoutProps(settings: ScreenSettings) {
  return {
    operator: settings.options.operator ?? DEFAULT_OPERATOR,
    styleSheet: `${getBasePath(settings.issuer)}/assets/operator.css`,
  }
}

export interface RenderOptions {
  status?: number
  /** Origins that a form of this screen may end at, by way of redirects. */
  formTargets?: readonly string[]
  /** Whether the screen brings the operator's own script. */
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

/** Serves the static files of the operator's screens: one style sheet and one script. */

import { createHash } from 'node:crypto'
import type Koa from 'koa'
import { PASSKEY_SCRIPT } from './screens/passkey-script.ts'
import { STYLE_SHEET } from './screens/style.ts'

const ASSETS: Readonly<Record<string, { type: string; text: string }>> = {
  '/assets/operator.css': { type: 'css', text: STYLE_SHEET },
  '/assets/passkey.js': { type: 'text/javascript; charset=utf-8', text: PASSKEY_SCRIPT },
}

export function mountAssets(app: Pick<Koa, 'use'>): void {
  app.use(async (ctx, next) => {
    const asset = ASSETS[ctx.path]
    if (!asset) return next()
    ctx.type = asset.type
    ctx.set('Cache-Control', 'no-cache')
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.set('ETag', `"${createHash('sha256').update(asset.text).digest('base64url')}"`)
    ctx.status = 200
    ctx.body = asset.text
    if (ctx.fresh) ctx.status = 304
  })
}

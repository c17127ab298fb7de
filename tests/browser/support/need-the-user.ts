/** What brings a grant to where a window would be needed: no refresh, and no silent authorization. */

import type { FaultRule } from '../../../demo-site/network/index.ts'

/** The next refresh ends the refresh token; from then on there is none. */
export const REFRESH_REFUSED: FaultRule = {
  method: 'POST',
  path: '/token',
  times: 1,
  action: {
    type: 'status',
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: '{"error":"invalid_grant"}',
  },
}

/** The next attempt without a window meets a page for people. */
export const PAGE_FOR_PEOPLE: FaultRule = {
  method: 'GET',
  path: '/auth',
  times: 1,
  action: {
    type: 'status',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Sign in</title>',
  },
}

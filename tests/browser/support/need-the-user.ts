/** Makes a grant need a window: the refresh and the silent authorization fail. */

import type { FaultRule } from '../../../demo-site/network/index.ts'

/** Makes the next refresh fail and end the refresh token. The grant then has no refresh token. */
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

/** Makes the next silent authorization end at a page that needs the user. */
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

/**
 * Measures PKCE pairs per second, beside other libraries and beside the plain calls for random bytes and
 * digest.
 */

import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import pkceChallenge from 'pkce-challenge'
import { core } from './built-core.ts'
import { compareContestants, type Measured } from './report.ts'

const ascii = new TextEncoder().encode('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')

export async function measurePairs(): Promise<Measured> {
  const { time, ratio } = await compareContestants(
    {
      northkey: core.createPkcePair,
      bare: () => {
        crypto.getRandomValues(new Uint8Array(32))
        return crypto.subtle.digest('SHA-256', ascii)
      },
      oauth4webapi: () => calculatePKCECodeChallenge(generateRandomCodeVerifier()),
      'pkce-challenge': () => pkceChallenge(43),
    },
    { slices: 1000, calls: 20 },
  )
  const row = (title: string, name: keyof typeof time) => [
    title,
    Math.round(1000 / time[name]).toLocaleString('en'),
    ratio('northkey', name).toFixed(3),
  ]
  const bare = ratio('northkey', 'bare')
  const peer = Math.max(ratio('northkey', 'oauth4webapi'), ratio('northkey', 'pkce-challenge'))
  return {
    rows: [
      row('northkey/core createPkcePair', 'northkey'),
      row('getRandomValues + digest alone', 'bare'),
      row('oauth4webapi', 'oauth4webapi'),
      row('pkce-challenge', 'pkce-challenge'),
    ],
    goals: [
      {
        name: 'pairs: time ÷ bare random and digest',
        measured: bare.toFixed(3),
        limit: '≤ 1.1',
        met: bare <= 1.1,
      },
      {
        name: 'pairs: time ÷ fastest peer',
        measured: peer.toFixed(3),
        limit: '≤ 1',
        met: peer <= 1,
      },
    ],
  }
}

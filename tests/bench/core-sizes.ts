/**
 * Measures the size of each library in an application: the same bundler, with the exports that the job
 * needs.
 */

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import type { Measured } from './report.ts'

const packages = fileURLToPath(new URL('../../dist/packages', import.meta.url))

const JOBS = {
  'northkey/core': `export { discover, beginAuthorization, receiveAuthorizationResponse, redeemCode,
    refreshTokens, revokeToken } from '${packages}/core.js'`,
  oauth4webapi: `export { discoveryRequest, processDiscoveryResponse, generateRandomCodeVerifier,
    generateRandomState, generateRandomNonce, calculatePKCECodeChallenge,
    pushedAuthorizationRequest, processPushedAuthorizationResponse, validateAuthResponse,
    authorizationCodeGrantRequest, processAuthorizationCodeResponse, refreshTokenGrantRequest,
    processRefreshTokenResponse, revocationRequest, processRevocationResponse, DPoP,
    isDPoPNonceError, None, PrivateKeyJwt, validateApplicationLevelSignature,
    getValidatedIdTokenClaims } from 'oauth4webapi'`,
  'oidc-client-ts': `export { OidcClient, UserManager } from 'oidc-client-ts'`,
  'auth0-spa-js': `export { createAuth0Client } from '@auth0/auth0-spa-js'`,
  '@axa-fr/oidc-client': `export { OidcClient } from '@axa-fr/oidc-client'`,
  'northkey/page': `export { findBroker, isProviderError } from '${packages}/page.js'`,
} as const

async function measureSize(source: string): Promise<{ minified: number; gzip: number }> {
  const result = await build({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'job',
        resolveId: (id) =>
          id === 'virtual:job' ? `${fileURLToPath(import.meta.url)}.job.js` : null,
        load: (id) => (id.endsWith('.job.js') ? source : null),
      },
    ],
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: 'virtual:job',
        preserveEntrySignatures: 'strict',
        output: { format: 'es', codeSplitting: false },
      },
    },
  })
  const { output } = (Array.isArray(result) ? result[0] : result) as { output: { code?: string }[] }
  const code = output.map((chunk) => chunk.code ?? '').join('')
  return { minified: Buffer.byteLength(code), gzip: gzipSync(code, { level: 9 }).length }
}

export async function measureSizes(): Promise<Measured> {
  const sizes = new Map<string, { minified: number; gzip: number }>()
  for (const [name, source] of Object.entries(JOBS)) sizes.set(name, await measureSize(source))
  const core = sizes.get('northkey/core')?.gzip ?? Number.NaN
  const page = sizes.get('northkey/page')?.gzip ?? Number.NaN
  return {
    rows: [...sizes].map(([name, { minified, gzip }]) => [
      name,
      `${minified.toLocaleString('en')} B`,
      `${gzip.toLocaleString('en')} B`,
      (gzip / core).toFixed(2),
    ]),
    goals: [
      {
        name: 'northkey/page, gzip',
        measured: `${page.toLocaleString('en')} B`,
        limit: '≤ 2,048 B',
        met: page <= 2048,
      },
    ],
  }
}

/**
 * Checks the invariants of a storm in the logs of the servers and the messages of the pages: a code and a
 * refresh token are sent at most once, a refresh token again only after the server has refused it, no token is used
 * after its revocation, an API no longer accepts it, and no secret reaches a server or page that must not have it.
 */

import type { LogEntry } from '../../demo-site/network/index.ts'
import type { Site, World } from './world.ts'

/** Takes the messages that a page has received from the broker since the last check. */
async function takeMessages({ page }: Site): Promise<string> {
  return page.evaluate(() => JSON.stringify(window.seen.splice(0)))
}

function findCodes({ answerHeaders }: LogEntry): string[] {
  const location = String(answerHeaders?.location ?? '')
  const code = URL.canParse(location) && new URL(location).searchParams.get('code')
  return code ? [code] : []
}

const REVOCATION = /\/token\/revocation$/
/** Faults with which a request is processed all the same, and its answer arrives. */
const PASSED = [undefined, 'hold', 'delay', 'drip']
/** Marks the requests of the judge itself. */
const OWN = 'x-storm'

const readToken = ({ headers }: LogEntry) => String(headers.authorization ?? '').split(' ')[1] ?? ''

export class Judge {
  readonly #sent = new Map<string, number>()
  /** Refresh tokens that the server has refused for now: they may be sent again. */
  readonly #refused = new Set<string>()
  readonly #revoked = new Set<string>()
  #codes = 0
  #refreshTokens = 0

  constructor(readonly world: World) {}

  get sent() {
    return {
      codes: this.#codes,
      refreshTokens: this.#refreshTokens,
      revocations: this.#revoked.size,
    }
  }

  /**
   * Checks that the authorization server was told of the end of a grant, and that the APIs no longer accept the
   * token of the last call then, or after the network has revoked it.
   *
   * @param ended Outcome of the end of the grant. @returns The violations.
   */
  async checkRevocation(ended: string | undefined): Promise<string[]> {
    const { log } = this.world.network
    const requests = log.filter({ method: 'POST', path: REVOCATION })
    if ((ended === 'revoked' || ended === 'pending') && requests.length === 0) {
      return ['the server was not told of the end of a grant']
    }
    const calls = log.filter({ server: 'api-exposing-functions' })
    const last = calls.filter((entry) => readToken(entry) !== '').at(-1)
    const told = requests.some(
      ({ id, status, fault }) => status === 200 && id > (last?.id ?? 0) && PASSED.includes(fault),
    )
    if (!last || !(told || ended === 'by network')) return []
    const response = await fetch(`${this.world.network.apisOrigin}${last.path}`, {
      headers: { authorization: String(last.headers.authorization), [OWN]: '1' },
    })
    await response.body?.cancel()
    return response.status === 401 ? [] : [`an API answered ${response.status} to a revoked token`]
  }

  /** Checks the traffic that one site has caused since the last check. @returns The violations. */
  async checkTraffic(owner: Site): Promise<string[]> {
    const { network, outside, sites } = this.world
    const violations: string[] = []
    /** Values that no page may see. Pages of other sites may not see `tokens` either. */
    const secrets = new Set<string>()
    const tokens = new Set<string>()
    for (const entry of network.log.entries) {
      const { server, path, headers } = entry
      if (headers[OWN]) continue
      const authorization = String(headers.authorization ?? '')
      if (authorization !== '') {
        tokens.add(readToken(entry))
        if (this.#revoked.has(readToken(entry)))
          violations.push('a token was used after its revocation')
        if (server !== 'api-exposing-functions')
          violations.push(`a token went to ${server} ${path}`)
      }
      for (const code of findCodes(entry)) secrets.add(code)
      if (REVOCATION.test(path)) this.#recordRevocation(entry, secrets)
      if (path.endsWith('/token')) violations.push(...this.#checkTokenRequest(entry, secrets))
    }
    for (const url of [
      ...outside.requests,
      ...sites.flatMap((site) => site.application.requests),
    ]) {
      if (/code=|token=|state=/.test(url)) violations.push('a code or token left its way')
    }
    for (const site of sites) {
      const messages = await takeMessages(site)
      if (site === owner) {
        for (const [, token] of messages.matchAll(/"accessToken":"([^"]+)"/g))
          tokens.add(token ?? '')
      } else if (
        messages.includes('accessToken') ||
        [...tokens].some((token) => messages.includes(token))
      ) {
        violations.push('a token came to another site')
      }
      if ([...secrets].some((secret) => messages.includes(secret)))
        violations.push('a page saw a code or the like')
    }
    network.log.clear()
    outside.requests.length = 0
    for (const { application } of sites) application.requests.length = 0
    return violations
  }

  #recordRevocation({ body, status }: LogEntry, secrets: Set<string>): void {
    const { token, token_type_hint: hint } = (body ?? {}) as Record<string, string | undefined>
    if (token === undefined) return
    if (hint === 'refresh_token') secrets.add(token)
    if (status === 200) this.#revoked.add(token)
  }

  #checkTokenRequest({ body, status = 0 }: LogEntry, secrets: Set<string>): string[] {
    const form = (body ?? {}) as Record<string, string | undefined>
    const { code, code_verifier: verifier, refresh_token: refreshToken } = form
    if (verifier !== undefined) secrets.add(verifier)
    const violations = []
    for (const [name, value] of Object.entries({ code, refreshToken })) {
      if (value === undefined) continue
      secrets.add(value)
      if (this.#revoked.has(value)) violations.push(`a ${name} was sent after its revocation`)
      const times = (this.#refused.delete(value) ? 0 : (this.#sent.get(value) ?? 0)) + 1
      this.#sent.set(value, times)
      if (name === 'refreshToken' && status >= 400) this.#refused.add(value)
      if (times > 1) violations.push(`a ${name} was sent ${times} times`)
      else if (name === 'code') this.#codes += 1
      else this.#refreshTokens += 1
    }
    return violations
  }
}

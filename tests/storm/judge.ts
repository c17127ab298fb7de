/**
 * What must hold whatever happens, judged by what the servers and the pages saw: a code and a refresh
 * token are sent at most once, and nothing secret comes where it does not belong.
 */

import type { LogEntry } from '../../demo-site/network/index.ts'
import type { Site, World } from './world.ts'

/** Everything in a page that has come from the broker since the last look. */
async function takeSeen({ page }: Site): Promise<string> {
  return page.evaluate(() => JSON.stringify(window.seen.splice(0)))
}

function codeIn({ answerHeaders }: LogEntry): string[] {
  const location = String(answerHeaders?.location ?? '')
  const code = URL.canParse(location) && new URL(location).searchParams.get('code')
  return code ? [code] : []
}

export class Judge {
  readonly #sent = new Map<string, number>()
  #codes = 0
  #refreshTokens = 0

  constructor(readonly world: World) {}

  get sent() {
    return { codes: this.#codes, refreshTokens: this.#refreshTokens }
  }

  /** Looks at what one site has caused since the last look. @returns What was wrong. */
  async look(owner: Site): Promise<string[]> {
    const { network, outside, sites } = this.world
    const found: string[] = []
    /** What no page may see, and what the pages of other sites may not. */
    const secret = new Set<string>()
    const tokens = new Set<string>()
    for (const entry of network.log.entries) {
      const { server, path, body, headers } = entry
      const authorization = String(headers.authorization ?? '')
      if (authorization !== '') {
        tokens.add(authorization.split(' ')[1] ?? '')
        if (server !== 'api-exposing-functions') found.push(`a token went to ${server} ${path}`)
      }
      for (const code of codeIn(entry)) secret.add(code)
      if (path.endsWith('/token')) found.push(...this.#judgeTokenRequest(body, secret))
    }
    for (const url of [
      ...outside.requests,
      ...sites.flatMap((each) => each.application.requests),
    ]) {
      if (/code=|token=|state=/.test(url)) found.push('a code or token left its way')
    }
    for (const site of sites) {
      const seen = await takeSeen(site)
      if (site === owner) {
        for (const [, token] of seen.matchAll(/"accessToken":"([^"]+)"/g)) tokens.add(token ?? '')
      } else if (seen.includes('accessToken') || [...tokens].some((one) => seen.includes(one))) {
        found.push('a token came to another site')
      }
      if ([...secret].some((one) => seen.includes(one))) found.push('a page saw a code or the like')
    }
    network.log.clear()
    outside.requests.length = 0
    for (const { application } of sites) application.requests.length = 0
    return found
  }

  #judgeTokenRequest(body: unknown, secret: Set<string>): string[] {
    const form = (body ?? {}) as Record<string, string | undefined>
    const { code, code_verifier: verifier, refresh_token: refreshToken } = form
    if (verifier !== undefined) secret.add(verifier)
    const found = []
    for (const [what, value] of Object.entries({ code, refreshToken })) {
      if (value === undefined) continue
      secret.add(value)
      const times = (this.#sent.get(value) ?? 0) + 1
      this.#sent.set(value, times)
      if (times > 1) found.push(`a ${what} was sent ${times} times`)
      else if (what === 'code') this.#codes += 1
      else this.#refreshTokens += 1
    }
    return found
  }
}

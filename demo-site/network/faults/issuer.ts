/** Replaces the issuer in authorization responses and metadata of an authorization server. @see RFC 9207 section 2 */

import type { Answer } from '../http/serve.ts'

/** Replaces `iss` of an authorization response and `issuer` of metadata; `null` removes them. */
export function replaceIssuer(answer: Answer, body: Buffer, issuer: string | null): Buffer {
  const location = answer.getHeader('location')
  if (typeof location === 'string' && URL.canParse(location)) {
    const url = new URL(location)
    if (url.searchParams.has('iss')) {
      if (issuer === null) url.searchParams.delete('iss')
      else url.searchParams.set('iss', issuer)
      answer.setHeader('location', url.href)
    }
  }
  if (!String(answer.getHeader('content-type') ?? '').includes('json')) return body
  const members: unknown = JSON.parse(body.toString('utf8'))
  if (typeof members !== 'object' || members === null || !('issuer' in members)) return body
  const { issuer: _real, ...others } = members
  return Buffer.from(JSON.stringify(issuer === null ? others : { ...others, issuer }))
}

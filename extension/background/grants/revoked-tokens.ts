/**
 * Remembers access tokens that the network has revoked and that no grant has. A notification can arrive before the
 * response that contains its token: a grant that stores such a token later has been revoked.
 *
 * The memory is that of this worker, in which the response would arrive. It has limits: a core may send any text.
 */

/** More than the limited rate of several cores allows in the time that a response may take. */
export const MAX_TOKENS = 1_024

/** In characters. Servers accept no longer header, so they issue no longer token. */
export const MAX_TOKEN_LENGTH = 8_192

/** Causes by issuer and token, the oldest first. */
const causes = new Map<string, string>()

const getKey = (issuer: string, accessToken: string) => `${issuer} ${accessToken}`

export function rememberRevokedToken(issuer: string, accessToken: string, cause: string): void {
  if (accessToken.length > MAX_TOKEN_LENGTH) return
  causes.set(getKey(issuer, accessToken), cause)
  const [oldest] = causes.keys()
  if (causes.size > MAX_TOKENS && oldest !== undefined) causes.delete(oldest)
}

/** @returns The cause, if the network has revoked one of these tokens. */
export function findRevocationCause(
  issuer: string,
  accessTokens: readonly string[],
): string | undefined {
  const revoked = accessTokens.find((token) => causes.has(getKey(issuer, token)))
  return revoked === undefined ? undefined : causes.get(getKey(issuer, revoked))
}

/**
 * Type of the result of an authorization, with a window or without one. A grant and its token record are
 * created from it.
 */

import type { ServerMetadata, TokenSet } from '../../../shared/core/index.ts'

export interface AuthorizationResult {
  tokens: TokenSet
  metadata: ServerMetadata
  /** Client that the tokens belong to: another than that of the request if the server had forgotten that one. */
  clientId?: string
}

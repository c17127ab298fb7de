/** The result of an authorization, with a window or without: what a grant and its tokens are made of. */

import type { ServerMetadata, TokenSet } from '../../../shared/core/index.ts'

export interface AuthorizationResult {
  tokens: TokenSet
  metadata: ServerMetadata
}

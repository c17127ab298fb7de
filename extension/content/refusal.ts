/** What the content script itself refuses. */

import type { Outcome } from '../../shared/messages/document-channel.ts'
import type { ErrorCode } from '../../shared/messages/page-api.ts'

export function refusal(code: ErrorCode, error: string, message: string): Outcome {
  return { error: { code, message, data: { error } } }
}

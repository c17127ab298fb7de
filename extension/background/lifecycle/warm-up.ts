/**
 * Preloads what nearly every call needs while the worker still starts: the databases of grants and
 * tokens, the sealing key, the session, the operators. They load at the same time instead of one after
 * the other. An error is ignored here: it occurs again, and is reported, where the value is needed.
 */

import { openGrants } from '../grants/grants.ts'
import { openTokens } from '../grants/token-records.ts'
import { listOperators } from '../operators/operators.ts'
import { sealingKey } from '../platform/sealing-key.ts'

export function warmUp(): void {
  for (const loading of [openGrants(), openTokens(), sealingKey(), listOperators()]) {
    loading.catch(() => {})
  }
}

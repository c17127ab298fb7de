/**
 * What nearly every call needs, asked for while a worker is still being read: the databases of grants
 * and tokens, the sealing key, the session, the operators. They come at the same time instead of one
 * after the other. Whatever fails here fails again, and is told, where it is needed.
 */

import { openGrants } from '../grants/grants.ts'
import { openTokens } from '../grants/token-records.ts'
import { listOperators } from '../operators/operators.ts'
import { sealingKey } from '../platform/sealing-key.ts'

export function warmUp(): void {
  for (const wanted of [openGrants(), openTokens(), sealingKey(), listOperators()]) {
    wanted.catch(() => {})
  }
}

/** Opens a store whose records are sealed (encrypted) under the sealing key of this browser session. */

import { createSealedStore, type SealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'
import { openStore, type SealedStoreName } from './stores.ts'

export const openSealedStore = <T>(name: SealedStoreName): SealedStore<T> =>
  createSealedStore<T>(name, sealingKey, openStore(name))

/** Opens a store of the broker whose records are sealed under the key of this browser session. */

import { createSealedStore, type SealedStore } from './sealed-store.ts'
import { sealingKey } from './sealing-key.ts'
import { openStore, type SealedStoreName } from './stores.ts'

export const openSealedStore = <T>(name: SealedStoreName): SealedStore<T> =>
  createSealedStore<T>(name, sealingKey, openStore(name))

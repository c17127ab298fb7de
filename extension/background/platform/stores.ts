/**
 * Lists the IndexedDB stores of the broker. Each store has a database of its own, `northkey-<name>`, so
 * that a database that does not open does not affect the others. The names are on the disks of users and do
 * not change.
 *
 * Border: values that end with the browser session are in `storage.session`, under keys of their own.
 */

import type { UseStore } from 'idb-keyval'
import { openDatabase } from './open-database.ts'

/** Stores with sealed records, which are readable during one browser session. */
export type SealedStoreName = 'channels' | 'clients' | 'flows' | 'revocations' | 'tokens'

/** Stores that outlive the browser session. The private keys in `keys` are wrapped under the sealing key. */
export type PlainStoreName =
  | 'grants'
  | 'keys'
  | 'log'
  | 'operators'
  | 'sites'
  | 'subject'
  | 'waivers'

export type StoreName = SealedStoreName | PlainStoreName

/** Opens a store. Its database is opened at the first use. */
export const openStore = (name: StoreName): UseStore => openDatabase(`northkey-${name}`, name)

/**
 * The stores of the broker. Each is an object store of this name in a database of its own,
 * `northkey-<name>`, so that one that does not open leaves the others alone. The names are on the disks of
 * users: they do not change.
 *
 * Border: what ends with the browser lies in `storage.session`, under keys of its own.
 */

import type { UseStore } from 'idb-keyval'
import { openDatabase } from './open-database.ts'

/** Stores whose records are sealed: they are readable for one browser session. */
export type SealedStoreName = 'channels' | 'clients' | 'flows' | 'revocations' | 'tokens'

/** Stores that outlive the browser. What is secret in `keys` is wrapped under the sealing key. */
export type PlainStoreName = 'grants' | 'keys' | 'log' | 'operators' | 'sites' | 'subject'

export type StoreName = SealedStoreName | PlainStoreName

export const openStore = (name: StoreName): UseStore => openDatabase(`northkey-${name}`, name)

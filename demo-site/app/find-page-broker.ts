/** The client for pages, as the interface that this page's screens know. */

import { findBroker } from '../../shared/page/index.ts'
import type { FindBroker } from './broker.ts'

/** Long enough for a broker that is just waking up, short enough for a player without one. */
const TIMEOUT_MS = 1_500

export const findPageBroker: FindBroker = () => findBroker({ timeoutMs: TIMEOUT_MS })

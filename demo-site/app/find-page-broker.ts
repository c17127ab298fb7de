/** Connects the client for pages (`northkey/page`) to the interface that the screens of this page use. */

import { findBroker } from '../../shared/page/index.ts'
import type { FindBroker } from './broker.ts'

/** Long enough for a broker whose worker has to start, short enough for a player without a broker. */
const TIMEOUT_MS = 1_500

export const findPageBroker: FindBroker = () => findBroker({ timeoutMs: TIMEOUT_MS })

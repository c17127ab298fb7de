/**
 * Type of a token broker, as far as the page uses it. Screens and store depend on this type only, so that a test
 * can pass a double.
 */

import type { Broker as PageBroker } from '../../shared/page/index.ts'

export type Broker = Pick<
  PageBroker,
  'info' | 'connect' | 'getGrants' | 'getAccessToken' | 'fetch' | 'createProof' | 'revoke' | 'on'
>

/** Searches for a broker; resolves with `undefined` when none answers. */
export type FindBroker = () => Promise<Broker | undefined>

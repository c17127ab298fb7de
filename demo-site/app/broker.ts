/**
 * What the page uses of a token broker. The screens and the store know this type alone, so a test
 * passes its own.
 */

import type { Broker as PageBroker } from '../../shared/page/index.ts'

export type Broker = Pick<
  PageBroker,
  'info' | 'connect' | 'getGrants' | 'getAccessToken' | 'fetch' | 'createProof' | 'revoke' | 'on'
>

/** Looks for a broker; `undefined` where none answers. */
export type FindBroker = () => Promise<Broker | undefined>

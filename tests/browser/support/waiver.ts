/** Consent waivers of the operator profiles that tests give to the broker. */

import type { ConsentWaiver, OperatorProfile } from '../../../shared/messages/operator-profile.ts'

/** A waiver for everything that an operator offers: a first grant then needs no consent window of the broker. */
export const waiveAll = ({ apis, modes = ['fetch', 'token'] }: OperatorProfile): ConsentWaiver => ({
  modes,
  apis: apis.flatMap(({ resource, scopes, purposes = [] }) => {
    const api = { resource, scope: scopes.map(({ scope }) => scope).join(' ') }
    return [api, ...purposes.map((purpose) => ({ ...api, purpose }))]
  }),
})

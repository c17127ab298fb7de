/**
 * Says which operators the browser's policy has brought. Chromium drops a list in which one value has a wrong type,
 * before Northkey sees it: the reader has to know where the browser says so.
 */

import type { PolicyKey } from '../../../shared/messages/screen-channel.ts'

const describeKey = ({ key, profiles }: PolicyKey) =>
  profiles === undefined
    ? `${key}: not a list`
    : `${key}: ${profiles} ${profiles === 1 ? 'profile' : 'profiles'}`

export function Policy({ keys }: { keys: PolicyKey[] }) {
  return (
    <details data-testid="policy">
      <summary>
        {keys.length === 0
          ? 'Your organization has set no operators'
          : `Your organization has set operators (${keys.map(describeKey).join('; ')})`}
      </summary>
      <p class="quiet">
        The browser’s policy may set operators, in the keys <code>operators</code> and{' '}
        <code>operatorFiles</code>.
        {__TARGET__ === 'chromium' &&
          ' Chromium drops a whole key if one value in it has a wrong type, and Northkey then sees nothing of it: chrome://policy shows the key as not set. In operatorFiles each profile is a text, and only that profile is rejected.'}
      </p>
    </details>
  )
}

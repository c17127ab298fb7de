/**
 * Shows the redirect URI of the broker for one operator, in each browser, with a button that copies it: an operator
 * registers both.
 */

import { useState } from 'preact/hooks'
import { toReadableText } from '../../../shared/messages/readable-text.ts'
import type { RedirectUris as Uris } from '../../../shared/messages/screen-channel.ts'
import type { ScreenClient } from '../screen-client.ts'

const BROWSERS = [
  ['chromium', 'Chromium, Chrome and Edge'],
  ['firefox', 'Firefox'],
] as const

interface Props {
  client: ScreenClient
  operatorName: string
  uris: Uris
}

export function RedirectUris({ client, operatorName, uris }: Props) {
  const [notice, setNotice] = useState('')

  async function copy(label: string, uri: string): Promise<void> {
    const isCopied = await client.copyText(uri).then(
      () => true,
      () => false,
    )
    setNotice(
      isCopied ? `The redirect URI for ${label} is copied.` : 'Your browser did not copy it.',
    )
  }

  return (
    <details data-testid="redirect-uris">
      <summary>Redirect URIs to register at the operator</summary>
      <dl>
        {BROWSERS.map(([target, label]) => (
          <div key={target} data-browser={target}>
            <dt>{label}</dt>
            <dd>
              <span class="address">{uris[target]}</span>
              <button
                type="button"
                aria-label={`Copy the redirect URI of ${toReadableText(operatorName)} for ${label}`}
                onClick={() => void copy(label, uris[target])}
                data-testid="copy"
              >
                Copy
              </button>
            </dd>
          </div>
        ))}
      </dl>
      <p role="status" class="quiet">
        {notice}
      </p>
    </details>
  )
}

/** Shows that there is no broker, and how to get one. */

import { Button } from './button.tsx'

export function NoBroker({ gone, discover }: { gone: boolean; discover(): void }) {
  return (
    <div class="no-broker" data-testid="broker-missing">
      <div class="no-broker-words">
        <h2>{gone ? 'Your token broker has gone' : 'No token broker found'}</h2>
        <p>
          A token broker is a browser extension, such as Northkey, that asks your operator on your
          behalf and keeps the keys. You can play without one, in standard quality.
        </p>
      </div>
      <ol class="remedies">
        <li>
          <strong>Install it.</strong> Add the extension that your operator recommends to this
          browser.
        </li>
        <li>
          <strong>Switch it on for this site.</strong> Open the extension from the browser’s toolbar
          and allow it here. It stays invisible everywhere else.
        </li>
        <li>
          <strong>Look again.</strong> A page that was open before may have to be loaded once more.
        </li>
      </ol>
      <div class="actions-row">
        <Button kind="primary" testId="retry-discovery" onClick={discover}>
          Look again
        </Button>
        <Button kind="plain" testId="reload" onClick={() => location.reload()}>
          Load the page again
        </Button>
      </div>
    </div>
  )
}

/** Shows the servers that the page sends requests to. */

import type { DemoSiteConfig } from '../config.ts'

export function Footer({ config }: { config: DemoSiteConfig }) {
  return (
    <footer class="footer">
      <p>
        Skyframe is a made-up application that shows how a page uses a network’s API. The picture is
        drawn by the page as well as its connection carries it.
      </p>
      <dl class="footer-facts">
        <div>
          <dt>Authorization function</dt>
          <dd>{new URL(config.issuer).host}</dd>
        </div>
        <div>
          <dt>API</dt>
          <dd>
            {new URL(config.resource).host}
            {new URL(config.resource).pathname}
          </dd>
        </div>
      </dl>
    </footer>
  )
}

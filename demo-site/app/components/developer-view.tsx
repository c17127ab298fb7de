/** Shows the requests and answers of the page, call by call. Credentials have been redacted before. */

import type { Trace, TraceEntry } from '../model/trace.ts'
import { Button } from './button.tsx'
import { Json } from './json.tsx'

function Entry({ entry }: { entry: TraceEntry }) {
  const { title, outcome, brief, durationMs, sent, received } = entry
  return (
    <details
      class="trace-entry"
      data-testid="trace-entry"
      data-title={title}
      data-outcome={outcome}
    >
      <summary>
        <span class="trace-light" aria-hidden="true" />
        <code class="trace-title">{title}</code>
        <span class="trace-brief">{brief ?? outcome}</span>
        <span class="trace-time">
          {durationMs === undefined ? '' : `${Math.round(durationMs)} ms`}
        </span>
      </summary>
      <div class="trace-body">
        {outcome !== 'event' && (
          <div>
            <h3>Sent</h3>
            {sent === undefined ? (
              <p class="empty">No parameters.</p>
            ) : (
              <Json value={sent} label={`Sent with ${title}`} />
            )}
          </div>
        )}
        <div>
          <h3>Received</h3>
          {received === undefined ? (
            <p class="empty">{outcome === 'pending' ? 'Waiting …' : 'Nothing.'}</p>
          ) : (
            <Json value={received} label={`Received from ${title}`} />
          )}
        </div>
      </div>
    </details>
  )
}

export function DeveloperView({ trace }: { trace: Trace }) {
  const entries = trace.entries.value
  return (
    <section class="panel developer" aria-labelledby="developer-title" data-testid="trace">
      <header class="panel-head">
        <div>
          <h2 id="developer-title">Developer’s view</h2>
          <p class="panel-sub">
            What this page sent and what it got, newest first. Tokens are withheld.
          </p>
        </div>
        {entries.length > 0 && (
          <Button kind="plain" testId="trace-clear" onClick={trace.clear}>
            Clear
          </Button>
        )}
      </header>
      {entries.length === 0 ? (
        <p class="empty">No call yet.</p>
      ) : (
        entries.map((entry) => <Entry key={entry.id} entry={entry} />)
      )}
    </section>
  )
}

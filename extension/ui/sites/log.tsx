/** Shows the log as a table, newest entry first, with search, export to a file and deletion. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { LogEntry, LogEvent } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { Time } from '../parts.tsx'
import { exportLog } from './export-log.ts'

const ROWS_PER_STEP = 100
/** Longest detail of an entry, in characters, as the background limits it. */
const MAX_DETAIL = 400

const EVENTS: Record<LogEvent, string> = {
  grant: 'Allowed',
  token: 'Token',
  call: 'Call',
  proof: 'Proof',
  refusal: 'Refused',
  revocation: 'Ended',
  site: 'Site',
  operator: 'Operator',
}

interface Props {
  entries: LogEntry[]
  busy: boolean
  onClear(): void
  onReload(): void
}

export function Log({ entries, busy, onClear, onReload }: Props) {
  const [query, setQuery] = useState('')
  const [shown, setShown] = useState(ROWS_PER_STEP)
  const [clearing, setClearing] = useState<boolean>()
  const emptyButton = useRef<HTMLButtonElement>(null)
  const keepButton = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (clearing === undefined) return
    const next = clearing ? keepButton : emptyButton
    next.current?.focus()
  }, [clearing])
  const found = useMemo(
    () => entries.filter((entry) => getSearchText(entry).includes(query.trim().toLowerCase())),
    [entries, query],
  )

  return (
    <section aria-labelledby="log-title">
      <h2 id="log-title">Log</h2>
      <p class="quiet">
        Kept on this device, about 3,000 entries at most. Each site has a share of its own, so no
        site can push out what you allowed or ended elsewhere. Of a refused call only the site, the
        error and its cause are kept. The log holds no tokens and leaves the device only as a file
        that you save.
      </p>
      <div class="tools">
        <label class="search">
          Find
          <input
            type="search"
            value={query}
            onInput={({ currentTarget }) => setQuery(currentTarget.value)}
          />
        </label>
        <button type="button" disabled={busy} onClick={onReload}>
          Refresh
        </button>
        <button
          type="button"
          disabled={entries.length === 0}
          onClick={() => exportLog(entries)}
          data-testid="export"
        >
          Save as file
        </button>
        {clearing ? (
          <>
            <button
              type="button"
              class="danger"
              data-testid="clear-really"
              onClick={() => {
                setClearing(false)
                onClear()
              }}
            >
              Empty it for good
            </button>
            <button ref={keepButton} type="button" onClick={() => setClearing(false)}>
              Keep it
            </button>
          </>
        ) : (
          <button
            ref={emptyButton}
            type="button"
            disabled={busy || entries.length === 0}
            onClick={() => setClearing(true)}
            data-testid="clear"
          >
            Empty …
          </button>
        )}
      </div>
      <p role="status" class="quiet">
        {entries.length === 0
          ? 'Nothing has happened yet.'
          : `${found.length} of ${entries.length} entries`}
      </p>
      {found.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard (WCAG 2.1.1)
        <section class="scroll" tabIndex={0} aria-label="Log entries">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">Site</th>
                <th scope="col">Operator and APIs</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, shown).map((entry, index) => (
                <Row key={`${entry.at} ${index}`} entry={entry} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {found.length > shown && (
        <button type="button" onClick={() => setShown(shown + ROWS_PER_STEP)}>
          Show more
        </button>
      )}
    </section>
  )
}

function getSearchText({ event, outcome, detail, origin, issuer, apis = [] }: LogEntry): string {
  const words = apis.flatMap(({ resource, scope, purpose }) => [resource, scope, purpose])
  return [EVENTS[event], outcome, detail, origin, issuer, ...words].join(' ').toLowerCase()
}

function Row({ entry }: { entry: LogEntry }) {
  const { at, times, event, outcome, detail, origin, issuer, mode, apis = [] } = entry
  return (
    <tr data-testid="entry">
      <td>
        <Time at={at} />
        {times && <span class="quiet">{times} times</span>}
      </td>
      <td>{EVENTS[event]}</td>
      <td class="address">{origin}</td>
      <td class="address">
        {issuer}
        {apis.map(({ resource, scope, purpose }) => (
          <span key={`${resource} ${scope}`} class="quiet">
            <ForeignText text={resource} /> <ForeignText text={scope} />{' '}
            {purpose && <ForeignText text={purpose} />}
          </span>
        ))}
        {mode === 'token' && <span class="quiet">tokens to the site</span>}
      </td>
      <td>
        <ForeignText text={outcome} />
        {detail && (
          <span class="quiet" data-testid="detail">
            <ForeignText text={detail} maxLength={MAX_DETAIL} />
          </span>
        )}
      </td>
    </tr>
  )
}

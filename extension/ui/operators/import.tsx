/** The import of a profile: a file is chosen, its content is shown, and only then is it confirmed. */

import { useRef, useState } from 'preact/hooks'
import {
  MAX_PROFILE_BYTES,
  type OperatorProfile,
  PROFILE_TOO_LARGE,
} from '../../../shared/messages/operator-profile.ts'
import type { ScreenClient } from '../screen-client.ts'
import { ProfileSummary } from './profile-summary.tsx'

interface Props {
  client: ScreenClient
  onImported(): void
}

type State =
  | { status: 'choosing'; said?: string }
  | { status: 'rejected'; reasons: string[] }
  | { status: 'confirming'; text: string; profile: OperatorProfile; permissions: string[] }

export function Import({ client, onImported }: Props) {
  const [state, setState] = useState<State>({ status: 'choosing' })
  const chooser = useRef<HTMLInputElement>(null)
  const failed = () => setState({ status: 'rejected', reasons: ['Northkey did not answer.'] })

  function startAgain(next: State = { status: 'choosing' }): void {
    setState(next)
    if (!chooser.current) return
    chooser.current.value = ''
    chooser.current.focus()
  }

  async function read(file: File | undefined): Promise<void> {
    if (!file) return startAgain()
    if (file.size > MAX_PROFILE_BYTES) {
      return startAgain({ status: 'rejected', reasons: [PROFILE_TOO_LARGE] })
    }
    const text = await file.text()
    const check = await client.ask('checkOperator', { text })
    if (check.reasons) return startAgain({ status: 'rejected', reasons: check.reasons })
    const { profile, permissions } = check
    setState({ status: 'confirming', text, profile, permissions })
  }

  /** In the click itself: only then does the browser ask for the permission to reach the servers. */
  function confirm(text: string, permissions: string[]): void {
    const asked = client.requestPermissions(permissions).catch(() => false)
    client
      .ask('addOperator', { text })
      .then(async ({ profile, reasons }) => {
        await asked
        startAgain(
          profile
            ? { status: 'choosing', said: `${profile.name} is added.` }
            : { status: 'rejected', reasons },
        )
        onImported()
      })
      .catch(failed)
  }

  return (
    <section aria-labelledby="import-title">
      <h2 id="import-title">Import an operator</h2>
      <label class="card file">
        Operator profile (a JSON file)
        <input
          ref={chooser}
          type="file"
          accept=".json,application/json"
          data-testid="file"
          onChange={({ currentTarget }) => void read(currentTarget.files?.[0]).catch(failed)}
        />
      </label>
      <p role="status" class="quiet">
        {state.status === 'choosing' && state.said}
      </p>
      <div role="alert">
        {state.status === 'rejected' && (
          <div class="card alert" data-testid="reasons">
            <p>This file cannot be used:</p>
            <ul class="plain">
              {state.reasons.map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
      {state.status === 'confirming' && (
        <section class="card" aria-labelledby="confirm-title" data-testid="confirmation">
          <h3 id="confirm-title">
            Add <q>{state.profile.name}</q>?
          </h3>
          <p>
            Add it only if you got the file from your operator or your organization. Who controls
            the issuer below can see which sites you connect.
          </p>
          <ProfileSummary profile={state.profile} />
          <footer>
            <button type="button" onClick={() => startAgain()} data-testid="cancel-import">
              Don’t add
            </button>
            <button
              type="button"
              class="primary"
              onClick={() => confirm(state.text, state.permissions)}
              data-testid="confirm-import"
            >
              Add operator
            </button>
          </footer>
        </section>
      )}
    </section>
  )
}

/** Imports an operator profile in three steps: the user selects a file, sees its content, and confirms. */

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
  | { status: 'choosing'; message?: string }
  | { status: 'rejected'; reasons: string[] }
  | { status: 'confirming'; text: string; profile: OperatorProfile; permissions: string[] }

export function Import({ client, onImported }: Props) {
  const [state, setState] = useState<State>({ status: 'choosing' })
  const fileInput = useRef<HTMLInputElement>(null)
  /** File that was chosen last. The check of an earlier one may end later. */
  const chosenFile = useRef<File>(undefined)
  const showFailure = () => setState({ status: 'rejected', reasons: ['Northkey did not answer.'] })

  function reset(next: State = { status: 'choosing' }): void {
    setState(next)
    if (!fileInput.current) return
    fileInput.current.value = ''
    fileInput.current.focus()
  }

  async function readFile(file: File | undefined): Promise<void> {
    chosenFile.current = file
    // The confirmation of an earlier file must not be pressed for this one.
    setState({ status: 'choosing' })
    if (!file) return reset()
    if (file.size > MAX_PROFILE_BYTES) {
      return reset({ status: 'rejected', reasons: [PROFILE_TOO_LARGE] })
    }
    const text = await file.text()
    const check = await client.sendRequest('checkOperator', { text })
    if (chosenFile.current !== file) return
    if (check.reasons) return reset({ status: 'rejected', reasons: check.reasons })
    const { profile, permissions } = check
    setState({ status: 'confirming', text, profile, permissions })
  }

  /** Requests the host permissions in the click itself: the browser shows its question only then. */
  function confirmImport(text: string, permissions: string[]): void {
    const permissionRequest = client.requestPermissions(permissions).catch(() => false)
    client
      .sendRequest('addOperator', { text })
      .then(async ({ profile, reasons }) => {
        await permissionRequest
        reset(
          profile
            ? { status: 'choosing', message: `${profile.name} is added.` }
            : { status: 'rejected', reasons },
        )
        onImported()
      })
      .catch(showFailure)
  }

  return (
    <section aria-labelledby="import-title">
      <h2 id="import-title">Import an operator</h2>
      <label class="card file">
        Operator profile (a JSON file)
        <input
          ref={fileInput}
          type="file"
          accept=".json,application/json"
          data-testid="file"
          onChange={({ currentTarget }) =>
            void readFile(currentTarget.files?.[0]).catch(showFailure)
          }
        />
      </label>
      <p role="status" class="quiet">
        {state.status === 'choosing' && state.message}
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
            <button type="button" onClick={() => reset()} data-testid="cancel-import">
              Don’t add
            </button>
            <button
              type="button"
              class="primary"
              onClick={() => confirmImport(state.text, state.permissions)}
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

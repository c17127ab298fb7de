/**
 * Imports an operator profile. The user selects a file, sees its content with all servers, and confirms; the browser
 * asks for access to these servers; Northkey reads the operator's metadata. If they name more servers, the user
 * sees and confirms these too. The operator is added last, and only with every permission.
 */

import { useEffect, useRef, useState } from 'preact/hooks'
import { MAX_PROFILE_BYTES, PROFILE_TOO_LARGE } from '../../../shared/messages/operator-profile.ts'
import type { AcceptedOperator } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { focusHeading } from '../keep-focus.ts'
import type { ScreenClient } from '../screen-client.ts'
import { Confirmation } from './confirmation.tsx'

interface Props {
  client: ScreenClient
  onImported(): void
}

/** A profile that waits for the user's confirmation. */
interface Candidate {
  file: File
  accepted: AcceptedOperator
  /** Origins that the operator's metadata named after the first confirmation. */
  found?: string[]
}

type State =
  | { status: 'choosing'; message?: string }
  | { status: 'rejected'; reasons: string[] }
  | { status: 'confirming'; candidate: Candidate; isRefused?: true }
  | { status: 'waiting'; candidate: Candidate }

/** @param cause The broker's words: no server, or an answer without metadata. */
const describeUndiscovered = (cause: string) =>
  ` Its metadata could not be read: ${cause}. If it wants to use more servers later, you are asked before.`

const listOrigins = ({ servers }: AcceptedOperator) => servers.map(({ origin }) => origin)

const getSignIn = ({ servers }: AcceptedOperator) =>
  servers.find(({ uses }) => uses.includes('signIn'))?.origin

/** Lists the origins that are new in a profile, or that are new as the place to sign in. */
function listFound(before: AcceptedOperator, after: AcceptedOperator): string[] {
  const known = listOrigins(before)
  return listOrigins(after).filter(
    (origin) =>
      !known.includes(origin) || (origin === getSignIn(after) && origin !== getSignIn(before)),
  )
}

export function Import({ client, onImported }: Props) {
  const [state, setState] = useState<State>({ status: 'choosing' })
  const fileInput = useRef<HTMLInputElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  /** File that the user decides on. The check of an earlier one may end later. */
  const chosenFile = useRef<File>(undefined)
  const showFailure = () => setState({ status: 'rejected', reasons: ['Northkey did not answer.'] })
  const candidate = 'candidate' in state ? state.candidate : undefined
  const isSecondQuestion = candidate?.found !== undefined

  // A second press of the same key or button must not answer the second question.
  useEffect(() => {
    if (isSecondQuestion) focusHeading(heading.current)
  }, [isSecondQuestion])

  function reset(next: State = { status: 'choosing' }): void {
    // An answer of the browser or the background that still comes is for nothing any more.
    chosenFile.current = undefined
    setState(next)
    if (!fileInput.current) return
    fileInput.current.value = ''
    fileInput.current.focus()
  }

  /** Gives the import up. Permissions that were given for it end. */
  function giveUp(next?: State): void {
    void client.sendRequest('endPermissionRequest', {}).catch(() => {})
    reset(next)
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
    setState({ status: 'confirming', candidate: { file, accepted: check } })
  }

  /** Adds the operator, unless its metadata name servers that the user has not confirmed yet. */
  async function addConfirmed({ file, accepted, found }: Candidate): Promise<void> {
    const text = JSON.stringify(accepted.profile)
    const discovery = await client.sendRequest('discoverOperator', { text })
    if (chosenFile.current !== file) return
    if (discovery.reasons) return giveUp({ status: 'rejected', reasons: discovery.reasons })
    const more = listFound(accepted, discovery)
    if (more.length > 0) {
      const candidate = { file, accepted: discovery, found: [...(found ?? []), ...more] }
      return setState({ status: 'confirming', candidate })
    }
    // What the user has seen is replaced, and nothing else.
    const replacing = accepted.replaces?.profile
    const { profile, reasons } = await client.sendRequest('addOperator', {
      text,
      ...(replacing && { replacing }),
    })
    if (reasons) return reset({ status: 'rejected', reasons })
    const note = discovery.undiscovered ? describeUndiscovered(discovery.undiscovered) : ''
    const done = replacing ? 'replaced' : 'added'
    reset({ status: 'choosing', message: `${profile.name} is ${done}.${note}` })
    onImported()
  }

  /** Requests the host permissions in the click itself: the browser shows its question only then. */
  function confirm(candidate: Candidate): void {
    const permissionRequest = client
      .requestPermissions(candidate.accepted.permissions)
      .catch(() => false)
    setState({ status: 'waiting', candidate })
    permissionRequest
      .then((isGiven) => {
        if (chosenFile.current !== candidate.file) return undefined
        return isGiven
          ? addConfirmed(candidate)
          : setState({ status: 'confirming', candidate, isRefused: true })
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
      <p role="status" class="quiet" data-testid="import-status">
        {state.status === 'choosing' && state.message && <ForeignText text={state.message} />}
      </p>
      <div role="alert">
        {state.status === 'rejected' && (
          <div class="card alert" data-testid="reasons">
            <p>This file cannot be used:</p>
            <ul class="plain">
              {state.reasons.map((reason) => (
                <li key={reason}>
                  <ForeignText text={reason} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {state.status === 'confirming' && state.isRefused && (
          <p class="card alert" data-testid="refused">
            Your browser has not given Northkey access to these servers, so nothing was added. Add
            the operator again and allow the access, or leave it.
          </p>
        )}
      </div>
      {candidate && (
        <Confirmation
          key={isSecondQuestion ? 'found' : 'file'}
          heading={heading}
          accepted={candidate.accepted}
          found={candidate.found}
          busy={state.status === 'waiting'}
          onCancel={() => giveUp()}
          onConfirm={() => confirm(candidate)}
        />
      )}
    </section>
  )
}

/** Shows one API of a consent request, with a checkbox for each scope that the user may deselect. */

import type { ConsentApi } from '../../../shared/messages/screen-channel.ts'
import { ForeignText } from '../foreign-text.tsx'
import { describePurpose } from './purpose.ts'

interface Props {
  api: ConsentApi
  /** Element id, unique in the window. */
  name: string
  /** Whether the request has parts that the user can deselect without a denial of the whole request. */
  choosable: boolean
  /** Selected scope words; `undefined` if the API is not selected. */
  selected: string[] | undefined
  /** @param scopes Selected scope words; `undefined` if the API is not selected any more. */
  onChange(scopes: string[] | undefined): void
}

export function ApiChoice({ api, name, choosable, selected, onChange }: Props) {
  const all = api.scopes.map(({ scope }) => scope)

  return (
    <li class="card">
      <div class="api">
        {choosable && (
          <input
            id={name}
            type="checkbox"
            data-testid="api"
            checked={selected !== undefined}
            onChange={({ currentTarget }) => onChange(currentTarget.checked ? all : undefined)}
          />
        )}
        <label for={choosable ? name : undefined}>
          <strong>
            <ForeignText text={api.name} />
          </strong>
          {api.description && (
            <span class="quiet">
              <ForeignText text={api.description} />
            </span>
          )}
        </label>
      </div>
      <ul class={choosable && all.length > 1 ? 'scopes choosable' : 'scopes'}>
        {all.length === 0 && <li>The operator decides what this site may do there.</li>}
        {api.scopes.map(({ scope, description }) => (
          <li key={scope}>
            {choosable && all.length > 1 ? (
              <label class="api">
                <input
                  type="checkbox"
                  data-testid="scope"
                  checked={selected?.includes(scope) === true}
                  onChange={({ currentTarget }) => {
                    const words = all.filter((word) =>
                      word === scope ? currentTarget.checked : selected?.includes(word),
                    )
                    onChange(words.length > 0 ? words : undefined)
                  }}
                />
                <ForeignText text={description ?? scope} />
              </label>
            ) : (
              <ForeignText text={description ?? scope} />
            )}
          </li>
        ))}
      </ul>
      {api.purpose && (
        <p class="quiet">
          Why: <ForeignText text={describePurpose(api.purpose)} />.
        </p>
      )}
      <p class="quiet host">At {new URL(api.resource).host}</p>
    </li>
  )
}

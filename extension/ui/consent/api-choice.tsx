/** One API of a request: what it lets the site do, each part with a mark that the user may take away. */

import type { ConsentApi } from '../../../shared/messages/screen-channel.ts'
import { purposeInWords } from './purpose.ts'

interface Props {
  api: ConsentApi
  /** Unique in the window. */
  name: string
  /** Whether there is anything to take away without refusing it all. */
  choosable: boolean
  /** Scope words that stay. */
  left: string[]
  onChange(scopes: string[]): void
}

export function ApiChoice({ api, name, choosable, left, onChange }: Props) {
  const all = api.scopes.map(({ scope }) => scope)

  return (
    <li class="card">
      <div class="api">
        {choosable && (
          <input
            id={name}
            type="checkbox"
            data-testid="api"
            checked={left.length > 0}
            onChange={({ currentTarget }) => onChange(currentTarget.checked ? all : [])}
          />
        )}
        <label for={choosable ? name : undefined}>
          <strong>{api.name}</strong>
          {api.description && <span class="quiet">{api.description}</span>}
        </label>
      </div>
      <ul class={choosable && all.length > 1 ? 'scopes choosable' : 'scopes'}>
        {api.scopes.map(({ scope, description }) => (
          <li key={scope}>
            {choosable && all.length > 1 ? (
              <label class="api">
                <input
                  type="checkbox"
                  data-testid="scope"
                  checked={left.includes(scope)}
                  onChange={({ currentTarget }) =>
                    onChange(
                      all.filter((s) => (s === scope ? currentTarget.checked : left.includes(s))),
                    )
                  }
                />
                {description ?? scope}
              </label>
            ) : (
              (description ?? scope)
            )}
          </li>
        ))}
      </ul>
      {api.purpose && <p class="quiet">Why: {purposeInWords(api.purpose)}.</p>}
      <p class="quiet host">At {new URL(api.resource).host}</p>
    </li>
  )
}

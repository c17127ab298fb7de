/**
 * Root of Skyframe, a cloud-gaming application on the UE that requests a better QoS session from the network. It
 * uses the provider convention only: it never gets an authorization code, a code verifier or a refresh token, and
 * in `fetch` mode no access token either.
 *
 * Hooks for scripted browsers (`data-testid`, stable):
 *
 * | hook | what it is |
 * |---|---|
 * | `broker-state` | `data-state`: `searching`, `missing`, `found`, `gone` |
 * | `broker-missing`, `retry-discovery` | the empty state, and its button that looks again |
 * | `step` | one of four; `data-step`: `find`, `connect`, `boost`, `play`; `data-state`: `waiting`, `current`, `busy`, `done`, `failed` |
 * | `mode-fetch`, `mode-token` | radio buttons for the mode |
 * | `connect`, `boost`, `list-sessions`, `disconnect` | the actions; absent where they make no sense |
 * | `cancel` | aborts the running request |
 * | `grant` | the permission; `data-grant-id`, `data-mode` |
 * | `session`, `end-session` | one per session; `data-session-id` |
 * | `sessions-empty` | the network keeps no session |
 * | `result`, `result-status`, `result-request`, `result-headers`, `result-body` | the API's answer |
 * | `error`, `error-code`, `error-name`, `error-title`, `error-action` | the last error; absent where there is none |
 * | `notice` | an event that the page did not cause: a revocation |
 * | `trace`, `trace-entry`, `trace-clear` | the developer's view; an entry has `data-title`, `data-outcome` |
 * | `stage`, `downlink` | the picture, `data-quality`: `standard`, `priority`; the rate measured |
 * | `theme` | switches light and dark |
 */

import type { ReadonlySignal } from '@preact/signals'
import { Actions } from './components/actions.tsx'
import { ApiAnswerView } from './components/api-answer-view.tsx'
import { Broker } from './components/broker.tsx'
import { DeveloperView } from './components/developer-view.tsx'
import { ErrorNotice } from './components/error-notice.tsx'
import { Footer } from './components/footer.tsx'
import { Header } from './components/header.tsx'
import { NoBroker } from './components/no-broker.tsx'
import { Sessions } from './components/sessions.tsx'
import { Steps } from './components/steps.tsx'
import type { Store } from './model/store.ts'
import { Stage } from './stream/stage.tsx'

export interface AppProps {
  store: Store
  /** Measured downlink in bits per second; `undefined` without a measurement. */
  downlink: ReadonlySignal<number | undefined>
}

export function App({ store, downlink }: AppProps) {
  const kind = store.broker.value.kind
  const lost = kind === 'missing' || kind === 'gone'
  return (
    <>
      <a class="skip" href="#deck">
        Skip to the controls
      </a>
      <Header>
        <Broker state={store.broker.value} />
      </Header>
      <main>
        <section class="hero" aria-labelledby="headline">
          <div class="hero-words">
            <h1 id="headline">Every frame. Even on the train.</h1>
            <p>
              Skyframe asks your mobile network for a steadier session while you play. You decide in
              your own token broker, and may change your mind at any time.
            </p>
          </div>
          <Stage boosted={store.boosted.value} bitsPerSecond={downlink.value} />
        </section>
        <section class="deck" id="deck" tabIndex={-1} aria-label="Your stream">
          <Steps steps={store.steps.value} />
          {lost ? (
            <NoBroker gone={kind === 'gone'} discover={store.discover} />
          ) : (
            <Actions store={store} />
          )}
        </section>
        <div class="live">
          {store.notice.value && (
            <output class={`notice notice-${store.notice.value.tone}`} data-testid="notice">
              {store.notice.value.text}
            </output>
          )}
          {store.failed.value && <ErrorNotice store={store} failed={store.failed.value} />}
        </div>
        <div class="panels">
          <Sessions store={store} />
          <ApiAnswerView answer={store.answer.value} />
        </div>
        <DeveloperView trace={store.trace} />
      </main>
      <Footer config={store.config} />
    </>
  )
}

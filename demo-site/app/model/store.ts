/**
 * Holds the state of the page and the actions of the player. A factory creates it from a client, so that it does
 * not depend on a browser extension. Derived values are computed signals.
 */

import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { ERROR_CODE, type Grant, type Mode } from '../../../shared/messages/page-api.ts'
import type { Broker, FindBroker } from '../broker.ts'
import type { DemoSiteConfig } from '../config.ts'
import { type ApiAnswer, type ApiRequest, headerOf } from './api-answer.ts'
import { type Failure, failureOf, isAbort } from './failure.ts'
import { callApi } from './northbound-api.ts'
import {
  type QosSession,
  qosSessionRequest,
  readQosSession,
  readQosSessions,
  subscriptionsUrl,
} from './qos-session.ts'
import { revocationNotice } from './revocation-notice.ts'
import type { Activity, BrokerState, FailedActivity, Notice } from './state.ts'
import { type Step, stepsOf } from './steps.ts'
import { createTrace, type Trace } from './trace.ts'

export interface StoreDependencies {
  config: DemoSiteConfig
  findBroker: FindBroker
  /** The page's own fetch, for `token` mode. */
  fetch: typeof fetch
  now(): number
}

export interface Store {
  readonly config: DemoSiteConfig
  readonly trace: Trace
  readonly broker: ReadonlySignal<BrokerState>
  readonly mode: Signal<Mode>
  readonly grant: ReadonlySignal<Grant | undefined>
  readonly activity: ReadonlySignal<Activity | undefined>
  /** `undefined` until the list has been requested. */
  readonly sessions: ReadonlySignal<readonly QosSession[] | undefined>
  readonly boosted: ReadonlySignal<boolean>
  readonly answer: ReadonlySignal<ApiAnswer | undefined>
  readonly failed: ReadonlySignal<FailedActivity | undefined>
  readonly notice: Signal<Notice | undefined>
  readonly steps: ReadonlySignal<Step[]>
  discover(): Promise<void>
  connect(): Promise<void>
  boost(): Promise<void>
  listSessions(): Promise<void>
  endSession(session: QosSession): Promise<void>
  disconnect(): Promise<void>
  /** Aborts the running request. */
  cancel(): void
  /** Repeats the activity that failed last. */
  retry(): Promise<void>
}

export function createStore({ config, findBroker, fetch, now }: StoreDependencies): Store {
  const trace = createTrace(now)
  const broker = signal<BrokerState>({ kind: 'searching' })
  const mode = signal<Mode>('fetch')
  const grants = signal<readonly Grant[]>([])
  const activity = signal<Activity | undefined>(undefined)
  const sessions = signal<readonly QosSession[] | undefined>(undefined)
  const answer = signal<ApiAnswer | undefined>(undefined)
  const failed = signal<FailedActivity | undefined>(undefined)
  const notice = signal<Notice | undefined>(undefined)
  const boosted = computed(() => (sessions.value?.length ?? 0) > 0)
  const grant = computed(() =>
    grants.value.find(
      (candidate) =>
        candidate.mode === mode.value &&
        candidate.issuer === config.issuer &&
        candidate.apis.some(({ resource }) => resource === config.resource),
    ),
  )
  const steps = computed(() =>
    stepsOf({
      broker: broker.value.kind,
      brokerName: broker.value.kind === 'found' ? broker.value.info.name : undefined,
      connected: grant.value !== undefined,
      boosted: boosted.value,
      activity: activity.value,
      failed: failed.value?.activity,
    }),
  )

  let abort: AbortController | undefined
  let retryActivity: (() => Promise<void>) | undefined
  let unsubscribe: (() => void)[] = []

  /** Runs an activity unless another is running, and stores its failure. */
  async function runActivity(
    name: Activity,
    run: (client: Broker, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const state = broker.value
    if (activity.value !== undefined || state.kind !== 'found') return
    const controller = new AbortController()
    abort = controller
    batch(() => {
      activity.value = name
      failed.value = undefined
      notice.value = undefined
    })
    retryActivity = () => runActivity(name, run)
    try {
      await run(state.broker, controller.signal)
    } catch (error) {
      if (!isAbort(error)) handleFailure(name, failureOf(error))
    } finally {
      activity.value = undefined
    }
  }

  function handleFailure(name: Activity, failure: Failure): void {
    const failedGrant = grant.value
    batch(() => {
      failed.value = { activity: name, failure }
      if (failure.code === ERROR_CODE.noGrant && failedGrant) removeGrants([failedGrant.grantId])
      if (failure.code === ERROR_CODE.brokerGone) handleBrokerGone()
    })
  }

  /** Clears the state that came from the broker, which is gone. */
  function handleBrokerGone(): void {
    batch(() => {
      broker.value = { kind: 'gone' }
      grants.value = []
      sessions.value = undefined
    })
  }

  async function callNorthboundApi(
    client: Broker,
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<ApiAnswer | undefined> {
    const usedGrant = grant.value
    if (usedGrant === undefined) return undefined
    answer.value = undefined
    const { resource } = config
    const context = { broker: client, grant: usedGrant, resource, trace, fetch, signal }
    answer.value = await callApi(request, context)
    return answer.value
  }

  function removeGrants(grantIds: readonly string[]): void {
    batch(() => {
      grants.value = grants.value.filter(({ grantId }) => !grantIds.includes(grantId))
      if (grants.value.length === 0) sessions.value = undefined
    })
  }

  function addSession(session: QosSession): void {
    const otherSessions = (sessions.value ?? []).filter(({ url }) => url !== session.url)
    sessions.value = [...otherSessions, session]
  }

  function subscribeToEvents(client: Broker): void {
    for (const removeListener of unsubscribe) removeListener()
    unsubscribe = [
      client.on('grantsChanged', (payload) => {
        trace.event('grantsChanged', payload)
        grants.value = payload.grants
        if (payload.grants.length === 0) sessions.value = undefined
      }),
      client.on('grantRevoked', (payload) => {
        trace.event('grantRevoked', payload)
        removeGrants([payload.grantId])
        notice.value = revocationNotice(payload)
      }),
      client.on('disconnect', (payload) => {
        trace.event('disconnect', payload)
        abort?.abort()
        handleBrokerGone()
      }),
    ]
  }

  async function discover(): Promise<void> {
    batch(() => {
      broker.value = { kind: 'searching' }
      failed.value = undefined
    })
    const client = await findBroker()
    if (client === undefined) {
      broker.value = { kind: 'missing' }
      return
    }
    subscribeToEvents(client)
    // A broker that cannot list its grants can still connect.
    const knownGrants = await trace
      .call('northbound_getGrants', undefined, () => client.getGrants())
      .catch(() => [])
    batch(() => {
      grants.value = knownGrants
      broker.value = { kind: 'found', broker: client, info: client.info }
    })
  }

  return {
    config,
    trace,
    broker,
    mode,
    grant,
    activity,
    sessions,
    boosted,
    answer,
    failed,
    notice,
    steps,
    discover,
    connect: () =>
      runActivity('connect', async (client, signal) => {
        const { issuer, resource, scope, purpose, clientId } = config
        const params = {
          issuer,
          apis: [{ resource, scope, ...(purpose === undefined ? {} : { purpose }) }],
          mode: mode.value,
          ...(clientId === undefined ? {} : { clientId }),
          reason: 'A steadier stream while you play',
        }
        const newGrant = await trace.call('northbound_connect', params, () =>
          client.connect(params, { signal }),
        )
        const otherGrants = grants.value.filter(({ grantId }) => grantId !== newGrant.grantId)
        grants.value = [...otherGrants, newGrant]
      }),
    boost: () =>
      runActivity('boost', async (client, signal) => {
        const body = qosSessionRequest(config)
        const request = { method: 'POST', url: subscriptionsUrl(config), body } as const
        const apiAnswer = await callNorthboundApi(client, request, signal)
        if (apiAnswer?.status !== 201) return
        const session = readQosSession(apiAnswer.body, headerOf(apiAnswer, 'location'))
        if (session) addSession(session)
      }),
    listSessions: () =>
      runActivity('list', async (client, signal) => {
        const request = { method: 'GET', url: subscriptionsUrl(config) } as const
        const apiAnswer = await callNorthboundApi(client, request, signal)
        if (apiAnswer?.status === 200) sessions.value = readQosSessions(apiAnswer.body)
      }),
    endSession: (session) =>
      runActivity('end', async (client, signal) => {
        const apiAnswer = await callNorthboundApi(
          client,
          { method: 'DELETE', url: session.url },
          signal,
        )
        // 404: the network has ended the session already.
        if (apiAnswer === undefined || ![200, 204, 404].includes(apiAnswer.status)) return
        sessions.value = (sessions.value ?? []).filter(({ url }) => url !== session.url)
      }),
    disconnect: () =>
      runActivity('disconnect', async (client) => {
        const endedGrant = grant.value
        if (endedGrant === undefined) return
        const params = { grantId: endedGrant.grantId }
        const { revoked, pending } = await trace.call('northbound_revoke', params, () =>
          client.revoke(params),
        )
        batch(() => {
          removeGrants([endedGrant.grantId, ...revoked, ...pending])
          answer.value = undefined
          sessions.value = undefined
        })
      }),
    cancel: () => abort?.abort(),
    retry: async () => retryActivity?.(),
  }
}

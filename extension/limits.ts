/**
 * Time limits of the product, each with its unit in its name. A development build may replace them by the
 * members of `globalThis.northkeyLimits`, so that a test of a limit need not wait in real time.
 *
 * This is no risk in a released build. `__REPLACED_LIMITS__` is a constant of the build and `undefined`
 * there: the bundler makes a plain number of each limit, and the name `northkeyLimits` is not in the build
 * (`tests/extension/artefact.test.ts`). In a development build only a script of the extension's own folder
 * sets the global (`scripts/extension-copy.ts`), before each script that reads a limit.
 *
 * Border: this file imports nothing, since scripts in each page contain a part of it. Limits that are no
 * times (sizes, rates, numbers of attempts) stay where they are applied.
 */

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

// Between a page and the worker.

/**
 * Interval of a document's keep-alives: half of the time that a browser lets a worker live without a
 * message.
 */
export const KEEP_ALIVE_MS = __REPLACED_LIMITS__?.KEEP_ALIVE_MS ?? 15_000

/**
 * Back-off of a document's reconnects: no pause after the first disconnect, and this much longer after
 * each further disconnect, so that a worker that cannot start is not called in a loop.
 */
export const RECONNECT_BACKOFF_MS = __REPLACED_LIMITS__?.RECONNECT_BACKOFF_MS ?? 250

/**
 * Interval of the provider's pings: a page learns within three of them that the broker is gone, and an
 * idle page has no timer at all.
 */
export const PING_INTERVAL_MS = __REPLACED_LIMITS__?.PING_INTERVAL_MS ?? 2_000

// Requests and flows.

/**
 * Limits a request to an operator: well below the 30 s after which a browser stops a worker in the
 * middle of a request.
 */
export const REQUEST_TIMEOUT_MS = __REPLACED_LIMITS__?.REQUEST_TIMEOUT_MS ?? 15_000

/**
 * Limits a call of an API: below the same 30 s, and longer than for an operator, since APIs do work.
 */
export const API_CALL_TIMEOUT_MS = __REPLACED_LIMITS__?.API_CALL_TIMEOUT_MS ?? 25_000

/** Limits the wait of an API call for calls before it: below `TOKEN_MARGIN_MS`, so that its token is still
 * valid.
 */
export const API_CALL_WAIT_MS = __REPLACED_LIMITS__?.API_CALL_WAIT_MS ?? 20_000

/**
 * Limits an authorization without a window. Chromium runs one at a time: the others wait for their turn. */
export const SILENT_AUTHORIZATION_TIMEOUT_MS =
  __REPLACED_LIMITS__?.SILENT_AUTHORIZATION_TIMEOUT_MS ?? 15_000

/**
 * Limits the wait for such a turn: longer than one attempt, so that one operator that hangs delays the
 * others and fails none.
 */
export const SILENT_TURN_TIMEOUT_MS = __REPLACED_LIMITS__?.SILENT_TURN_TIMEOUT_MS ?? 20_000

/**
 * Time of such an attempt from which on the answer is late: longer than honest servers take, and a third of the time
 * limit.
 */
export const SLOW_SILENT_ATTEMPT_MS = __REPLACED_LIMITS__?.SLOW_SILENT_ATTEMPT_MS ?? 5_000

/**
 * Pause before an operator that did not answer such an attempt in time gets another one. Each failure in a
 * row doubles it.
 */
export const FIRST_SILENT_PAUSE_MS = __REPLACED_LIMITS__?.FIRST_SILENT_PAUSE_MS ?? 30_000

/** Longest pause between two such attempts: an operator that comes back is asked soon. */
export const LONGEST_SILENT_PAUSE_MS =
  __REPLACED_LIMITS__?.LONGEST_SILENT_PAUSE_MS ?? 10 * MINUTE_MS

/** Longest use of metadata that a server calls fresh: an operator that moves is followed within the hour. */
export const LONGEST_METADATA_LIFETIME_MS =
  __REPLACED_LIMITS__?.LONGEST_METADATA_LIFETIME_MS ?? HOUR_MS

/** Time within which metadata that were requested ahead serve a flow: as long as browsers keep a prefetched page. */
export const METADATA_AHEAD_LIFETIME_MS =
  __REPLACED_LIMITS__?.METADATA_AHEAD_LIFETIME_MS ?? 5 * MINUTE_MS

/** Limits an authorization in a window: enough for a sign-in with a text message. */
export const FLOW_LIFETIME_MS = __REPLACED_LIMITS__?.FLOW_LIFETIME_MS ?? 10 * MINUTE_MS

/**
 * Time for which a browser counts a click as transient user activation: 5 s in Chromium and in Firefox. A call
 * that reports an activation may have it from a click this long before.
 */
export const TRANSIENT_ACTIVATION_MS = __REPLACED_LIMITS__?.TRANSIENT_ACTIVATION_MS ?? 5_000

/**
 * Time within which a call opens its window: twice the time for which a browser counts a click, since an attempt
 * without a window and requests to the operator may come before.
 */
export const ACTIVATION_LIFETIME_MS = __REPLACED_LIMITS__?.ACTIVATION_LIFETIME_MS ?? 10_000

/** Limits the wait for the first page of a new window; the flow goes on without it. */
export const WINDOW_SHOWN_TIMEOUT_MS = __REPLACED_LIMITS__?.WINDOW_SHOWN_TIMEOUT_MS ?? 5_000

/**
 * Limits the wait for the address of a window that a stopped worker has opened: in Firefox a new window shows
 * `about:blank` first.
 */
export const WINDOW_ADDRESS_TIMEOUT_MS = __REPLACED_LIMITS__?.WINDOW_ADDRESS_TIMEOUT_MS ?? 1_000

/**
 * Longest time for which a sign-in window stays open after its response, while the code is sent: shorter than somebody
 * reads an error page of the browser.
 */
export const SIGN_IN_CLOSE_DELAY_MS = __REPLACED_LIMITS__?.SIGN_IN_CLOSE_DELAY_MS ?? 100

/** Interval of the polling of a new window: the browser's event for it comes too late. */
export const WINDOW_POLL_INTERVAL_MS = __REPLACED_LIMITS__?.WINDOW_POLL_INTERVAL_MS ?? 5

/**
 * Interval of the polling of a window that loads while a flow of a stopped worker is resumed: such a load is
 * rare and takes as long as the operator.
 */
export const NAVIGATION_POLL_INTERVAL_MS = __REPLACED_LIMITS__?.NAVIGATION_POLL_INTERVAL_MS ?? 250

/**
 * Limits the wait for the metadata of a server before the user is asked: well below the time in which a click has to
 * open its window.
 */
export const METADATA_WAIT_MS = __REPLACED_LIMITS__?.METADATA_WAIT_MS ?? 2_000

/**
 * Limits the wait for an authorization response that woke the worker: the browser delivers it some
 * milliseconds after the call of the page.
 */
export const RESPONSE_ARRIVAL_TIMEOUT_MS = __REPLACED_LIMITS__?.RESPONSE_ARRIVAL_TIMEOUT_MS ?? 1_000

/**
 * Time for which the buttons of a consent window stay inert: a click meant for something else does not
 * land on them.
 */
export const CONSENT_INERT_MS = __REPLACED_LIMITS__?.CONSENT_INERT_MS ?? 500

/**
 * Pause before a screen sends a request again that got no answer: the stopped worker is started again in the
 * meantime.
 */
export const SCREEN_RESEND_PAUSE_MS = __REPLACED_LIMITS__?.SCREEN_RESEND_PAUSE_MS ?? 250

/** Cooldown after a user's first denial. It is short, since a window may be closed by mistake. */
export const FIRST_DENIAL_PAUSE_MS = __REPLACED_LIMITS__?.FIRST_DENIAL_PAUSE_MS ?? 5_000

/**
 * Longest cooldown after denials, each of which doubles it; also the time after which a denial is
 * forgotten.
 */
export const LONGEST_DENIAL_PAUSE_MS =
  __REPLACED_LIMITS__?.LONGEST_DENIAL_PAUSE_MS ?? 10 * MINUTE_MS

// Tokens and grants.

/** Renewal of a token this long before its expiry: a call takes its time, and clocks differ. */
export const TOKEN_MARGIN_MS = __REPLACED_LIMITS__?.TOKEN_MARGIN_MS ?? 30_000

/** A replaced token whose life the server does not state is kept this long, to be revoked with its grant. */
export const REPLACED_TOKEN_LIFETIME_MS = __REPLACED_LIMITS__?.REPLACED_TOKEN_LIFETIME_MS ?? DAY_MS

/** Limits an entry of the cache of access tokens: the records are read at least once a minute. */
export const TOKEN_CACHE_LIFETIME_MS = __REPLACED_LIMITS__?.TOKEN_CACHE_LIFETIME_MS ?? MINUTE_MS

/** Lifetime of a grant for one task: the longest task at one sitting. */
export const ONCE_GRANT_LIFETIME_MS = __REPLACED_LIMITS__?.ONCE_GRANT_LIFETIME_MS ?? HOUR_MS

/** Longest lifetime of a grant for a browser session that does not end. */
export const SESSION_GRANT_LIFETIME_MS = __REPLACED_LIMITS__?.SESSION_GRANT_LIFETIME_MS ?? DAY_MS

/** Lifetime of a grant of the development build, for whoever tries what an application does at its end. */
export const BRIEF_GRANT_LIFETIME_MS = __REPLACED_LIMITS__?.BRIEF_GRANT_LIFETIME_MS ?? 20_000

/** Lifetime of a grant for a day. */
export const DAY_GRANT_LIFETIME_MS = __REPLACED_LIMITS__?.DAY_GRANT_LIFETIME_MS ?? DAY_MS

/** Lifetime of a grant for a month, counted from its last use. */
export const MONTH_GRANT_LIFETIME_MS = __REPLACED_LIMITS__?.MONTH_GRANT_LIFETIME_MS ?? 30 * DAY_MS

/** Smallest extension of a grant by its use: more would be a write for each call. */
export const GRANT_EXTENSION_STEP_MS = __REPLACED_LIMITS__?.GRANT_EXTENSION_STEP_MS ?? HOUR_MS

// Revocations and the CAPIF channel.

/**
 * Pause before a revocation is sent again: no shorter, since an alarm is not sooner. Each attempt
 * doubles it.
 */
export const FIRST_REVOCATION_PAUSE_MS = __REPLACED_LIMITS__?.FIRST_REVOCATION_PAUSE_MS ?? 30_000

/**
 * Longest pause between two attempts of a revocation: a server that comes back is asked within the hour.
 */
export const LONGEST_REVOCATION_PAUSE_MS =
  __REPLACED_LIMITS__?.LONGEST_REVOCATION_PAUSE_MS ?? HOUR_MS

/**
 * Longest `Retry-After` that is heeded for a revocation: a token must not stay valid for a header's
 * sake.
 */
export const LONGEST_RETRY_AFTER_MS = __REPLACED_LIMITS__?.LONGEST_RETRY_AFTER_MS ?? DAY_MS

/**
 * Interval of keep-alives to a CAPIF core: traffic at this pace keeps the worker, and with it the
 * connection, alive.
 */
export const CAPIF_KEEP_ALIVE_MS = __REPLACED_LIMITS__?.CAPIF_KEEP_ALIVE_MS ?? 20_000

/**
 * Pause before the channel to a CAPIF core is opened again: no shorter, since an alarm is not sooner.
 * Each failure doubles it.
 */
export const FIRST_CAPIF_PAUSE_MS = __REPLACED_LIMITS__?.FIRST_CAPIF_PAUSE_MS ?? 30_000

/** Longest pause between two attempts to open such a channel. */
export const LONGEST_CAPIF_PAUSE_MS = __REPLACED_LIMITS__?.LONGEST_CAPIF_PAUSE_MS ?? HOUR_MS

/**
 * Time after which a CAPIF core that exceeded a limit of the channel starts again with the first pause.
 */
export const CAPIF_VIOLATION_MEMORY_MS = __REPLACED_LIMITS__?.CAPIF_VIOLATION_MEMORY_MS ?? DAY_MS

// Alarms, storage and the log.

/** Shortest time to an alarm: browsers do not wake a worker sooner. */
export const SOONEST_ALARM_MS = __REPLACED_LIMITS__?.SOONEST_ALARM_MS ?? 30_000

/** The same for an unpacked extension, as a development build is: browsers wake its worker at any time. */
export const SOONEST_UNPACKED_ALARM_MS = __REPLACED_LIMITS__?.SOONEST_UNPACKED_ALARM_MS ?? 1_000

/** Delay of a new worker's check of permissions: the event that woke the worker is handled first. */
export const PERMISSION_CHECK_DELAY_MS = __REPLACED_LIMITS__?.PERMISSION_CHECK_DELAY_MS ?? 1_000

/**
 * Time for which a browser's question for permissions is open: enough to read it. A later answer switches
 * no site on.
 */
export const PERMISSION_REQUEST_LIFETIME_MS =
  __REPLACED_LIMITS__?.PERMISSION_REQUEST_LIFETIME_MS ?? 2 * MINUTE_MS

/**
 * Pause after a database did not open the first time: another process of the browser may hold it for a
 * moment.
 */
export const FIRST_DATABASE_PAUSE_MS = __REPLACED_LIMITS__?.FIRST_DATABASE_PAUSE_MS ?? 50

/** Pause after a database did not open the second time; the third failure is an error. */
export const SECOND_DATABASE_PAUSE_MS = __REPLACED_LIMITS__?.SECOND_DATABASE_PAUSE_MS ?? 250

/**
 * Time within which equal entries of the log are counted instead of added: a busy page adds one a
 * minute.
 */
export const LOG_DEDUPLICATION_MS = __REPLACED_LIMITS__?.LOG_DEDUPLICATION_MS ?? MINUTE_MS

/**
 * Shortest time between two writes of the log: a page that calls without pause costs a few writes a
 * second.
 */
export const LOG_WRITE_INTERVAL_MS = __REPLACED_LIMITS__?.LOG_WRITE_INTERVAL_MS ?? 250

/** Delay of the write of a count: a repeated call is not urgent. */
export const LOG_COUNT_DELAY_MS = __REPLACED_LIMITS__?.LOG_COUNT_DELAY_MS ?? 2_000

/** Lifetime of the object URL of an exported log: the browser has read it long before. */
export const EXPORT_URL_LIFETIME_MS = __REPLACED_LIMITS__?.EXPORT_URL_LIFETIME_MS ?? 10_000

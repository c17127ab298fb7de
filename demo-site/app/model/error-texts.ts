/**
 * Explains every error of the provider convention (PAGE-API section 4) to the player: cause and next step. The texts
 * contain the registered error word at most, never text that a server has written.
 */

import {
  ERROR_CODE,
  type ErrorCode,
  type ProviderErrorData,
} from '../../../shared/messages/page-api.ts'

/** Action of the button beside the error. */
export type NextAction = 'retry' | 'connect' | 'discover' | 'reload' | 'none'

export interface ErrorText {
  title: string
  explanation: string
  nextStep: string
  action: NextAction
}

type Row = ErrorText & {
  /** Texts for certain words of `data.error`. */
  words?: Record<string, Partial<ErrorText>>
}

export const ERROR_TEXTS: Readonly<Record<ErrorCode, Row>> = {
  [ERROR_CODE.accessDenied]: {
    title: 'You said no, and that is fine',
    explanation: 'The permission was refused, or its window was closed. Nothing was changed.',
    nextStep: 'Connect again whenever you want a steadier stream.',
    action: 'connect',
  },
  [ERROR_CODE.noGrant]: {
    title: 'There is no permission to use',
    explanation: 'This page has no such permission, or no longer has it.',
    nextStep: 'Connect once more to ask for it.',
    action: 'connect',
  },
  [ERROR_CODE.unsupportedMethod]: {
    title: 'Your broker does not know this request',
    explanation: 'It speaks the convention, but not this part of it.',
    nextStep: 'Update the broker, then load this page again.',
    action: 'reload',
  },
  [ERROR_CODE.interactionRequired]: {
    title: 'Your broker needs a moment of your time',
    explanation: 'It has to show you a window, which it only does after a click on this page.',
    nextStep: 'Press the button and the window opens.',
    action: 'retry',
    words: {
      login_required: {
        explanation: 'Your operator wants you to sign in again, which takes a click on this page.',
      },
      consent_required: {
        explanation: 'Your operator wants your consent again, which takes a click on this page.',
      },
    },
  },
  [ERROR_CODE.insufficientAuthorization]: {
    title: 'This permission does not reach that far',
    explanation: 'The network wants more than was granted, and asking again did not bring it.',
    nextStep: 'Connect again and allow everything that the window lists.',
    action: 'connect',
    words: {
      insufficient_user_authentication: {
        title: 'Your operator wants a stronger sign-in',
        explanation: 'The way you signed in is not enough for this request.',
        nextStep: 'Connect again and choose the stronger way to sign in.',
      },
    },
  },
  [ERROR_CODE.notOnMobileNetwork]: {
    title: 'You are not on the mobile network',
    explanation:
      'Your operator recognizes you by your mobile connection, and you are using another.',
    nextStep: 'Switch Wi-Fi off, wait for mobile data, then try again.',
    action: 'retry',
  },
  [ERROR_CODE.rateLimited]: {
    title: 'Too many requests at once',
    explanation: 'The broker or the network asks this page to slow down.',
    nextStep: 'Wait a little, then try again.',
    action: 'retry',
  },
  [ERROR_CODE.untrustedResponse]: {
    title: 'The answer could not be trusted',
    explanation:
      'Something in the reply of the authorization function was not as it must be, so your broker threw it away.',
    nextStep: 'Try again. If it happens twice, tell your operator and do not sign in.',
    action: 'retry',
    words: {
      issuer_mismatch: {
        explanation:
          'The reply came from another server than the one that was asked, so your broker threw it away.',
      },
      state_mismatch: {
        explanation: 'The reply belongs to no question of this page, so your broker threw it away.',
      },
    },
  },
  [ERROR_CODE.authorizationServerError]: {
    title: 'Your operator turned the request down',
    explanation: 'The authorization function understood the request and refused it.',
    nextStep: 'Connect again. If it stays like this, ask your operator with the word shown here.',
    action: 'connect',
    words: {
      invalid_grant: {
        title: 'The permission has ended',
        explanation: 'It has expired, was used up, or was taken back at your operator.',
        nextStep: 'Connect once more to renew it.',
      },
      invalid_client: {
        title: 'Your operator does not know this application',
        explanation: 'Skyframe is not registered there, or its registration has ended.',
        nextStep: 'This is for us and your operator to sort out; trying again will not help.',
        action: 'none',
      },
      invalid_scope: {
        title: 'Your operator does not offer this',
        explanation: 'The kind of permission that this page asks for is not on offer.',
        nextStep: 'Ask your operator whether your plan includes quality on demand.',
        action: 'none',
      },
    },
  },
  [ERROR_CODE.brokerGone]: {
    title: 'Your broker has gone',
    explanation: 'The extension was updated, switched off or removed while this page was open.',
    nextStep: 'Switch it on again, then look for it once more.',
    action: 'discover',
  },
  [ERROR_CODE.unreachable]: {
    title: 'The network cannot be reached',
    explanation: 'The authorization function or the API did not answer.',
    nextStep: 'Check your connection and try again.',
    action: 'retry',
    words: {
      timeout: { explanation: 'The authorization function or the API took too long to answer.' },
    },
  },
  [ERROR_CODE.alreadyPending]: {
    title: 'A window is already open',
    explanation: 'Your broker is waiting for your answer in another window.',
    nextStep: 'Finish or close that window, then try again.',
    action: 'retry',
  },
  [ERROR_CODE.forbiddenContext]: {
    title: 'A broker does not talk to this kind of page',
    explanation: 'The page runs inside a frame, without a secure connection, or in the background.',
    nextStep: 'Open it in a tab of its own, over https.',
    action: 'reload',
  },
  [ERROR_CODE.invalidParams]: {
    title: 'This page asked the wrong way',
    explanation: 'Your broker could not use a parameter of the request: a defect of this page.',
    nextStep: 'The developer’s view below names the parameter.',
    action: 'none',
  },
  [ERROR_CODE.internalError]: {
    title: 'Your broker made a mistake',
    explanation: 'Something inside it failed. Your permissions are untouched.',
    nextStep: 'Try again; if it stays like this, load the page once more.',
    action: 'retry',
  },
}

/** An answer that is no `ProviderError` at all, from a broker that breaks the convention. */
const UNKNOWN: ErrorText = {
  title: 'Something unexpected happened',
  explanation: 'The broker answered in a way that this page does not know.',
  nextStep: 'Load the page again. If it stays like this, update the broker.',
  action: 'reload',
}

/** The words for one error. */
export function errorText(code: number, data?: ProviderErrorData): ErrorText {
  const row: Row | undefined = ERROR_TEXTS[code as ErrorCode]
  if (row === undefined) return UNKNOWN
  const { words, ...common } = row
  const special = words && data && Object.hasOwn(words, data.error) ? words[data.error] : undefined
  const text = { ...common, ...special }
  const seconds = data?.retryAfterSeconds
  if (code !== ERROR_CODE.rateLimited || seconds === undefined) return text
  return {
    ...text,
    nextStep: `Wait ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, then try again.`,
  }
}

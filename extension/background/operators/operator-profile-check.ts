/**
 * Checks whether a value is an operator profile, version 1. The JSON Schema beside this file defines the
 * shape; its validator needs no `eval`. The rules that a schema cannot express are checked here: https
 * addresses in their canonical spelling, valid origins, no duplicates, and names without deceptive characters.
 *
 * Pure. A reason names the member and the expectation, never the value.
 *
 * @see RFC 8414 section 2
 */

import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema'
import {
  MAX_PROFILE_BYTES,
  type OperatorApplication,
  type OperatorProfile,
  PROFILE_TOO_LARGE,
} from '../../../shared/messages/operator-profile.ts'
import { isReadableText, READABLE_TEXT } from '../../../shared/messages/readable-text.ts'
import { isDeeperThan, JSON_DEPTH_LIMIT } from '../../../shared/oauth/json-depth.ts'
import { isClientId } from '../../../shared/oauth/opaque-values.ts'
import {
  findSpellingFault,
  isCanonicalOrigin,
  toComparableUrl,
} from '../../../shared/oauth/url-spelling.ts'
import { isSecureOrigin } from '../platform/secure-origin.ts'
import schema from './operator-profile.schema.json'
import { getSignInOrigin } from './operator-servers.ts'

export type ProfileCheck =
  | { profile: OperatorProfile; reasons?: never }
  | { reasons: string[]; profile?: never }

const MAX_REASONS = 10

let validator: Validator | undefined

/**
 * The schema without `uniqueItems`, for which the validator compares each item with each other one: a long list in a
 * hostile file would occupy the worker for minutes. `checkContents` has this rule.
 */
const linearSchema = (): Schema =>
  JSON.parse(JSON.stringify(schema, (name, value) => (name === 'uniqueItems' ? undefined : value)))

/** Creates the validator at the first call: most workers check no profile. */
function getSchemaValidator(): Validator {
  validator ??= new Validator(linearSchema(), '2020-12', false)
  return validator
}

/** Converts a JSON Pointer to a member path: `#/apis/0/resource` to `apis[0].resource`. */
function toMemberPath(location: string): string {
  const path = location
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((left, part) => (/^\d+$/.test(part) ? `${left}[${part}]` : `${left}.${part}`), '')
  return path.replace(/^\./, '') || 'profile'
}

const joinPath = (parent: string, name: string) =>
  parent === 'profile' ? name : `${parent}.${name}`
const findQuoted = (text: string) => /"([^"]*)"/.exec(text)?.[1] ?? ''
const findListed = (text: string) =>
  /\[(.*)\]/.exec(text)?.[1]?.replaceAll('"', '').split(',') ?? []

/**
 * Converts an error of the validator to a reason. `undefined`: another error describes the same more
 * exactly.
 */
function toReason({ keyword, instanceLocation, error }: OutputUnit): string | undefined {
  const member = toMemberPath(instanceLocation)
  switch (keyword) {
    case 'properties':
    case 'items':
    case 'false':
      return undefined
    case 'additionalProperties':
      return `${joinPath(member, findQuoted(error))}: unknown member`
    case 'required':
      return `${joinPath(member, findQuoted(error))}: expected to be there`
    case 'type':
      return `${member}: expected ${/Expected "([a-z, "]+)"/.exec(error)?.[1] ?? 'another type'}`
    case 'enum':
      return `${member}: expected one of ${findListed(error).join(', ')}`
    case 'format':
      return `${member}: expected an absolute URL`
    case 'minLength':
    case 'maxLength':
      return `${member}: expected 1 to 80 characters`
    case 'minItems':
      return `${member}: expected at least one`
    case 'maxItems':
      return `${member}: expected at most 16`
    case 'pattern':
      return `${member}: expected a DPV term, as in dpv:X`
    default:
      return `${member}: expected as the schema says (${keyword})`
  }
}

/** @see RFC 6749 section 3.3 */
const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Collects the reasons of failed checks. */
class Findings {
  readonly reasons: string[] = []
  readonly #development: boolean

  constructor(development: boolean) {
    this.#development = development
  }

  expect(isValid: boolean, member: string, expectation: string): void {
    if (!isValid) this.reasons.push(`${member}: expected ${expectation}`)
  }

  checkSecureUrl(url: string, member: string): void {
    const fault = findSpellingFault(url)
    this.expect(fault === undefined, member, fault ?? '')
    if (fault !== undefined) return
    const isValid = isSecureOrigin(new URL(url).origin, this.#development)
    const loopback = this.#development ? ', or http on loopback' : ''
    this.expect(isValid, member, `an https URL${loopback}`)
  }

  /** Checks the base of other URLs. */
  checkBase(url: string, member: string): void {
    this.checkSecureUrl(url, member)
    this.expect(!/[?#]/.test(url), member, 'no query and no fragment')
  }

  checkText(text: string | undefined, member: string): void {
    this.expect(isReadableText(text ?? ''), member, READABLE_TEXT)
  }

  checkUnique(values: string[], member: string): void {
    this.expect(new Set(values).size === values.length, member, 'each only once')
  }

  checkOrigin(origin: string, member: string): void {
    const isValid = isSecureOrigin(origin, this.#development) && isCanonicalOrigin(origin)
    const scheme = this.#development ? 'https, or http on loopback' : 'https'
    this.expect(
      isValid,
      member,
      `an origin (${scheme}) as location.origin prints it, without path and final slash`,
    )
  }
}

/**
 * Checks the URLs in metadata, found by member name: `token_endpoint`, `jwks_uri`,
 * `mtls_endpoint_aliases.*`.
 */
function checkMetadata(
  findings: Findings,
  metadata: Record<string, unknown>,
  issuer: string,
  member = 'metadata',
): void {
  for (const [name, value] of Object.entries(metadata)) {
    const at = `${member}.${name}`
    if (/_(?:endpoint|uri|iframe)$/.test(name)) {
      if (typeof value === 'string') findings.checkSecureUrl(value, at)
      else findings.expect(false, at, 'a string')
    } else if (name === 'issuer') {
      findings.expect(value === issuer, at, 'the same as issuer')
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      checkMetadata(findings, value as Record<string, unknown>, issuer, at)
    }
  }
}

/** Checks that a waiver has a part of what the operator offers. */
function checkWaiver(
  findings: Findings,
  { requireConsent, consentWaiver }: OperatorApplication,
  { apis, modes }: OperatorProfile,
  member: string,
): void {
  if (!consentWaiver) return
  const at = `${member}.consentWaiver`
  findings.expect(requireConsent === false, at, 'requireConsent: false beside it')
  findings.checkUnique(consentWaiver.modes ?? [], `${at}.modes`)
  findings.expect(
    consentWaiver.modes?.every((mode) => modes?.includes(mode) ?? true) ?? true,
    `${at}.modes`,
    'modes that the operator offers',
  )
  consentWaiver.apis.forEach(({ resource, scope, purpose }, index) => {
    const path = `${at}.apis[${index}]`
    const api = apis.find((candidate) => candidate.resource === resource)
    findings.expect(api !== undefined, `${path}.resource`, 'the resource of one of apis')
    if (!api) return
    const offered = api.scopes.map((entry) => entry.scope)
    findings.expect(
      scope === undefined
        ? offered.length === 0
        : scope.split(' ').every((word) => offered.includes(word)),
      `${path}.scope`,
      'scopes of that API, with one space between, and none for an API without scopes',
    )
    const isOffered = purpose === undefined || (api.purposes?.includes(purpose) ?? true)
    findings.expect(isOffered, `${path}.purpose`, 'a purpose of that API')
  })
}

function checkServers(findings: Findings, profile: OperatorProfile): void {
  const { signInOrigin, serverOrigins = [], metadata } = profile
  for (const [index, origin] of serverOrigins.entries()) {
    findings.checkOrigin(origin, `serverOrigins[${index}]`)
  }
  findings.checkUnique(serverOrigins, 'serverOrigins')
  if (signInOrigin === undefined) return
  findings.checkOrigin(signInOrigin, 'signInOrigin')
  if (metadata?.authorization_endpoint === undefined) return
  const { signInOrigin: _, ...others } = profile
  findings.expect(
    findings.reasons.length > 0 || signInOrigin === getSignInOrigin(others),
    'signInOrigin',
    'the origin of metadata.authorization_endpoint',
  )
}

function checkContents(profile: OperatorProfile, development: boolean): string[] {
  const findings = new Findings(development)
  const { issuer, name, metadata = {}, capif, modes = [], apis, applications = [] } = profile
  findings.checkBase(issuer, 'issuer')
  findings.checkText(name, 'name')
  findings.checkUnique(modes, 'modes')
  checkMetadata(findings, metadata, issuer)
  checkServers(findings, profile)
  if (capif?.apiRoot !== undefined) findings.checkBase(capif.apiRoot, 'capif.apiRoot')
  findings.checkUnique(
    apis.map(({ resource }) => toComparableUrl(resource)),
    'apis.resource',
  )
  apis.forEach((api, index) => {
    const at = `apis[${index}]`
    findings.checkBase(api.resource, `${at}.resource`)
    findings.checkText(api.name, `${at}.name`)
    findings.checkText(api.description, `${at}.description`)
    const words = api.scopes.map(({ scope }) => scope)
    findings.expect(
      words.length > 0 || profile.profile === 'oauth',
      `${at}.scopes`,
      `at least one for ${profile.profile}, whose requests always name a scope`,
    )
    findings.expect(
      words.every((word) => SCOPE_WORD.test(word)),
      `${at}.scopes`,
      'one word each (RFC 6749 section 3.3)',
    )
    findings.checkUnique(words, `${at}.scopes`)
    for (const { description } of api.scopes) findings.checkText(description, `${at}.scopes`)
  })
  applications.forEach((application, index) => {
    const at = `applications[${index}]`
    findings.checkText(application.name, `${at}.name`)
    findings.expect(isClientId(application.clientId), `${at}.clientId`, 'printable ASCII')
    checkWaiver(findings, application, profile, at)
    for (const [index, origin] of application.origins.entries()) {
      findings.checkOrigin(origin, `${at}.origins[${index}]`)
    }
  })
  return findings.reasons
}

/** Describes the members that are nested too deeply for the checks that walk through a profile. */
function describeDeepMembers(value: unknown): string[] {
  if (!isDeeperThan(JSON_DEPTH_LIMIT, value)) return []
  const members = Array.isArray(value) ? { profile: value } : (value as object)
  return Object.entries(members)
    .filter(([, member]) => isDeeperThan(JSON_DEPTH_LIMIT - 1, member))
    .map(([name]) => `${name}: expected at most ${JSON_DEPTH_LIMIT} levels of objects and lists`)
}

/**
 * Checks a parsed value.
 *
 * @param development Whether http on loopback is allowed.
 */
export function checkProfile(value: unknown, development: boolean): ProfileCheck {
  const deepMembers = describeDeepMembers(value)
  if (deepMembers.length > 0) return { reasons: deepMembers.slice(0, MAX_REASONS) }
  const { valid, errors } = getSchemaValidator().validate(value)
  const reasons = valid
    ? checkContents(value as OperatorProfile, development)
    : errors.map(toReason).filter((reason) => reason !== undefined)
  if (reasons.length === 0) return { profile: value as OperatorProfile }
  return { reasons: [...new Set(reasons)].slice(0, MAX_REASONS) }
}

/** Parses and checks the text of a file. The text has at most 256 KiB. */
export function readProfile(text: string, development: boolean): ProfileCheck {
  if (text.length > MAX_PROFILE_BYTES) return { reasons: [PROFILE_TOO_LARGE] }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { reasons: ['file: expected JSON'] }
  }
  if (Array.isArray(value)) return { reasons: ['file: expected one profile, not a list'] }
  return checkProfile(value, development)
}

/**
 * Whether a value is an operator profile, version 1. Its shape is judged by the JSON Schema beside this
 * file, with a validator that needs no `eval`; what a schema cannot say is judged here: that every
 * address is https, that an origin is one, that nothing is there twice, that a name cannot deceive.
 *
 * Pure. A reason names the member and the expectation, never a value.
 *
 * @see RFC 8414 section 2
 */

import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema'
import {
  MAX_PROFILE_BYTES,
  type OperatorProfile,
  PROFILE_TOO_LARGE,
} from '../../../shared/messages/operator-profile.ts'
import { isReadableText } from '../platform/readable-text.ts'
import { isSecureOrigin } from '../platform/secure-origin.ts'
import schema from './operator-profile.schema.json'

export type ProfileCheck =
  | { profile: OperatorProfile; reasons?: never }
  | { reasons: string[]; profile?: never }

const MAX_REASONS = 10

let validator: Validator | undefined

/** Made when first asked for: most lives of a worker judge nothing. */
function schemaValidator(): Validator {
  validator ??= new Validator(schema as Schema, '2020-12', false)
  return validator
}

/** `#/apis/0/resource` as people write it: `apis[0].resource`. */
function memberAt(location: string): string {
  const path = location
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((left, part) => (/^\d+$/.test(part) ? `${left}[${part}]` : `${left}.${part}`), '')
  return path.replace(/^\./, '') || 'profile'
}

const join = (parent: string, name: string) => (parent === 'profile' ? name : `${parent}.${name}`)
const quoted = (text: string) => /"([^"]*)"/.exec(text)?.[1] ?? ''
const listed = (text: string) => /\[(.*)\]/.exec(text)?.[1]?.replaceAll('"', '').split(',') ?? []

/** What the validator found, as a reason; `undefined` where another finding says it better. */
function reasonOf({ keyword, instanceLocation, error }: OutputUnit): string | undefined {
  const member = memberAt(instanceLocation)
  switch (keyword) {
    case 'properties':
    case 'items':
    case 'false':
      return undefined
    case 'additionalProperties':
      return `${join(member, quoted(error))}: unknown member`
    case 'required':
      return `${join(member, quoted(error))}: expected to be there`
    case 'type':
      return `${member}: expected ${/Expected "([a-z, "]+)"/.exec(error)?.[1] ?? 'another type'}`
    case 'enum':
      return `${member}: expected one of ${listed(error).join(', ')}`
    case 'format':
      return `${member}: expected an absolute URL`
    case 'minLength':
    case 'maxLength':
      return `${member}: expected 1 to 80 characters`
    case 'minItems':
      return `${member}: expected at least one`
    case 'uniqueItems':
      return `${member}: expected each only once`
    case 'pattern':
      return `${member}: expected a DPV term, as in dpv:X`
    default:
      return `${member}: expected as the schema says (${keyword})`
  }
}

/** @see RFC 6749 section 3.3 */
const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/

class Findings {
  readonly reasons: string[] = []
  readonly #development: boolean

  constructor(development: boolean) {
    this.#development = development
  }

  expect(good: boolean, member: string, expectation: string): void {
    if (!good) this.reasons.push(`${member}: expected ${expectation}`)
  }

  secure(url: string, member: string): void {
    const good = URL.canParse(url) && isSecureOrigin(new URL(url).origin, this.#development)
    const loopback = this.#development ? ', or http on loopback' : ''
    this.expect(good, member, `an https URL${loopback}`)
    this.expect(!/^[^/]*\/\/[^/]*@/.test(url), member, 'no user information')
  }

  /** The base of other addresses. */
  base(url: string, member: string): void {
    this.secure(url, member)
    this.expect(!/[?#]/.test(url), member, 'no query and no fragment')
  }

  readable(text: string | undefined, member: string): void {
    this.expect(
      isReadableText(text ?? ''),
      member,
      'no control characters and no marks of direction',
    )
  }

  unique(values: string[], member: string): void {
    this.expect(new Set(values).size === values.length, member, 'each only once')
  }

  origin(origin: string, member: string): void {
    const good = isSecureOrigin(origin, this.#development) && !origin.includes('*')
    this.expect(good, member, 'an https origin, as location.origin prints it')
  }
}

/** Addresses by their name: `token_endpoint`, `jwks_uri`, and those under `mtls_endpoint_aliases`. */
function checkMetadata(
  findings: Findings,
  metadata: Record<string, unknown>,
  issuer: string,
  member = 'metadata',
): void {
  for (const [name, value] of Object.entries(metadata)) {
    const at = `${member}.${name}`
    if (/_(?:endpoint|uri|iframe)$/.test(name)) {
      if (typeof value === 'string') findings.secure(value, at)
      else findings.expect(false, at, 'a string')
    } else if (name === 'issuer') {
      findings.expect(value === issuer, at, 'the same as issuer')
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      checkMetadata(findings, value as Record<string, unknown>, issuer, at)
    }
  }
}

function checkContents(profile: OperatorProfile, development: boolean): string[] {
  const findings = new Findings(development)
  const { issuer, name, metadata = {}, capif, apis, applications = [] } = profile
  findings.base(issuer, 'issuer')
  findings.readable(name, 'name')
  checkMetadata(findings, metadata, issuer)
  if (capif?.apiRoot !== undefined) findings.base(capif.apiRoot, 'capif.apiRoot')
  findings.unique(
    apis.map(({ resource }) => resource),
    'apis.resource',
  )
  apis.forEach((api, index) => {
    const at = `apis[${index}]`
    findings.base(api.resource, `${at}.resource`)
    findings.readable(api.name, `${at}.name`)
    findings.readable(api.description, `${at}.description`)
    const words = api.scopes.map(({ scope }) => scope)
    findings.expect(
      words.every((word) => SCOPE_WORD.test(word)),
      `${at}.scopes`,
      'one word each (RFC 6749 section 3.3)',
    )
    findings.unique(words, `${at}.scopes`)
    for (const { description } of api.scopes) findings.readable(description, `${at}.scopes`)
  })
  applications.forEach((application, index) => {
    const at = `applications[${index}]`
    findings.readable(application.name, `${at}.name`)
    for (const origin of application.origins) findings.origin(origin, `${at}.origins`)
  })
  return findings.reasons
}

/**
 * @param development Whether http on loopback is allowed.
 */
export function checkProfile(value: unknown, development: boolean): ProfileCheck {
  const { valid, errors } = schemaValidator().validate(value)
  const reasons = valid
    ? checkContents(value as OperatorProfile, development)
    : errors.map(reasonOf).filter((reason) => reason !== undefined)
  if (reasons.length === 0) return { profile: value as OperatorProfile }
  return { reasons: [...new Set(reasons)].slice(0, MAX_REASONS) }
}

/** A file's text, of at most 256 KiB. */
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

/**
 * What Chromium must be told of the policy that an administrator may set (`storage.managed`): it drops
 * whatever this schema has no type for. Made from the operator profile's own schema, in the subset that
 * Chromium understands, and looser than that: what is wrong shall reach the broker, which says why.
 *
 * @see https://developer.chrome.com/docs/extensions/reference/manifest/storage
 */

import profile from './background/operators/operator-profile.schema.json'

export interface PolicyNode {
  type: 'array' | 'boolean' | 'object' | 'string'
  title?: string
  description?: string
  items?: PolicyNode
  properties?: Record<string, PolicyNode>
  patternProperties?: Record<string, PolicyNode>
  additionalProperties?: PolicyNode
}

interface ProfileNode {
  type?: string
  items?: ProfileNode
  properties?: Record<string, ProfileNode>
}

const TEXT: PolicyNode = { type: 'string' }
const FLAG: PolicyNode = { type: 'boolean' }

/** Chromium wants one type for each member. @see RFC 8414 section 2; lists end in `s_supported` */
const METADATA: PolicyNode = {
  type: 'object',
  properties: {
    authorization_response_iss_parameter_supported: FLAG,
    claims_parameter_supported: FLAG,
    client_id_metadata_document_supported: FLAG,
    mtls_endpoint_aliases: { type: 'object', additionalProperties: TEXT },
    request_parameter_supported: FLAG,
    request_uri_parameter_supported: FLAG,
    require_pushed_authorization_requests: FLAG,
    require_request_uri_registration: FLAG,
    require_signed_request_object: FLAG,
    tls_client_certificate_bound_access_tokens: FLAG,
  },
  patternProperties: { s_supported$: { type: 'array', items: TEXT } },
  additionalProperties: TEXT,
}

function nodeOf(node: ProfileNode): PolicyNode {
  switch (node.type) {
    case 'boolean':
      return FLAG
    case 'array':
      return { type: 'array', items: nodeOf(node.items ?? {}) }
    case 'object':
      if (!node.properties) return METADATA
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(node.properties).map(([name, member]) => [name, nodeOf(member)]),
        ),
        // So that a misspelt member of text is noticed.
        additionalProperties: TEXT,
      }
    default:
      return TEXT
  }
}

/** The content of `policy.schema.json`. */
export const policySchema: PolicyNode = {
  type: 'object',
  properties: {
    operators: {
      title: 'Operators',
      description: 'Operator profiles, version 1.',
      ...nodeOf({ type: 'array', items: profile as ProfileNode }),
    },
  },
}

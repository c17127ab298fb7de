/**
 * Generates the schema of the policy that an administrator can set (`storage.managed`). Chromium requires
 * it, and drops every value that has no type in it. The schema is derived from the schema of operator
 * profiles, in the subset that Chromium supports. It is less strict, so that an invalid profile reaches the
 * broker, which gives the reasons.
 *
 * A value of a wrong type never reaches the broker: Chromium has one type for each member, and drops the whole list
 * for a single value. So a list of texts is there too, `operatorFiles`, in which nothing has a type but the text.
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

/**
 * Node for authorization server metadata: Chromium requires one type for each member. Names of lists end in
 * `s_supported`.
 *
 * @see RFC 8414 section 2
 */
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

/** Converts a node of the profile's schema. */
function toPolicyNode(node: ProfileNode): PolicyNode {
  switch (node.type) {
    case 'boolean':
      return FLAG
    case 'array':
      return { type: 'array', items: toPolicyNode(node.items ?? {}) }
    case 'object':
      if (!node.properties) return METADATA
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(node.properties).map(([name, member]) => [name, toPolicyNode(member)]),
        ),
        // A misspelt string member reaches the broker, which reports it.
        additionalProperties: TEXT,
      }
    default:
      return TEXT
  }
}

/** Content of `policy.schema.json`. */
export const policySchema: PolicyNode = {
  type: 'object',
  properties: {
    operators: {
      title: 'Operators',
      description: 'Operator profiles, version 1.',
      ...toPolicyNode({ type: 'array', items: profile as ProfileNode }),
    },
    operatorFiles: {
      title: 'Operators, as texts',
      description:
        'Operator profiles, version 1, each as the JSON text of a profile file. Northkey checks each text by itself.',
      type: 'array',
      items: TEXT,
    },
  },
}

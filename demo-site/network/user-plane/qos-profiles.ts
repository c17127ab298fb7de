/**
 * QoS profiles of the operator, which a `qosReference` (TS 29.122) or a `qosProfile` (CAMARA) names, and the best
 * effort that applies without a session.
 */

export interface QosProfile {
  name: string
  description: string
  /** Downlink, bits per second. */
  downlinkBitsPerSecond: number
  uplinkBitsPerSecond: number
  /** One way, in milliseconds. */
  latencyMs: number
  /** Share of packets lost, 0 to 1. */
  loss: number
  /** Longest session, in seconds. */
  maxDurationSeconds: number
}

export const BEST_EFFORT: QosProfile = {
  name: 'BEST_EFFORT',
  description: 'What every data session gets',
  downlinkBitsPerSecond: 2_000_000,
  uplinkBitsPerSecond: 1_000_000,
  latencyMs: 60,
  loss: 0.01,
  maxDurationSeconds: 0,
}

export const QOS_PROFILES: readonly QosProfile[] = [
  {
    name: 'QOS_L',
    description: 'High throughput and low latency, for cloud gaming',
    downlinkBitsPerSecond: 16_000_000,
    uplinkBitsPerSecond: 4_000_000,
    latencyMs: 15,
    loss: 0,
    maxDurationSeconds: 3600,
  },
  {
    name: 'QOS_M',
    description: 'Steady throughput, for video calls',
    downlinkBitsPerSecond: 8_000_000,
    uplinkBitsPerSecond: 4_000_000,
    latencyMs: 25,
    loss: 0.001,
    maxDurationSeconds: 7200,
  },
  {
    name: 'QOS_S',
    description: 'Modest but steady throughput, for voice',
    downlinkBitsPerSecond: 4_000_000,
    uplinkBitsPerSecond: 2_000_000,
    latencyMs: 30,
    loss: 0.002,
    maxDurationSeconds: 14_400,
  },
]

export function findQosProfile(name: string): QosProfile | undefined {
  return QOS_PROFILES.find((profile) => profile.name === name)
}

/** What went over the wire, on all connections of a client. */
export interface Traffic {
  bytesSent: number;
  bytesReceived: number;
  framesSent: number;
  framesReceived: number;
}

/** Counters that stand at 0. */
export function noTraffic(): Traffic {
  return { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0 };
}

// Types and flags of frames. Enums, because bundlers write their values where the names are, and nothing is left of this file.

export enum FrameType {
  HandshakeInit = 0x01,
  HandshakeResponse = 0x02,
  RpcCall = 0x10,
  RpcResponse = 0x11,
  RpcError = 0x12,
  RpcCancel = 0x13,
  RpcChunk = 0x14,
  Subscribe = 0x20,
  Event = 0x21,
  Unsubscribe = 0x22,
  Heartbeat = 0x30,
  Close = 0xff,
}

export enum Flag {
  KeyPhase = 1,
  Padded = 2,
  More = 4,
  Fin = 8,
  Early = 16,
}

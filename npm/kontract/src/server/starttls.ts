// TLS in the middle of a connection to PostgreSQL: the client asks, the server says yes, and both begin (the protocol's SSLRequest).
//
// The platform does the handshake, and verifies the certificate and the host's name; there is no way around that.

import type { TcpSocket } from "./connection.js";

/** A connection that can go on in TLS. */
export interface UpgradableSocket extends TcpSocket {
  startTls(): TcpSocket;
}

/** Length, and a number that no version of the protocol has. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

/** `S` */
const YES = 83;

/** Goes on in TLS. Rejects where the server does not speak it. */
export async function encrypted(socket: UpgradableSocket): Promise<TcpSocket> {
  const [writer, reader] = [socket.writable.getWriter(), socket.readable.getReader()];
  await writer.write(SSL_REQUEST);
  const { value } = await reader.read();
  // What follows the answer in the clear could only be from somebody who sits between, and would be taken for the server's.
  if (value === undefined || value.length !== 1 || value[0] !== YES) {
    throw new Error("the database server does not speak TLS, which sslmode in DATABASE_URL demands");
  }
  writer.releaseLock();
  reader.releaseLock();
  return socket.startTls();
}

// What the encrypted calls are measured against: bare Workers that echo JSON, or bytes.
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.headers.get('upgrade') === 'websocket') return socket();
    if (pathname === '/bytes') return new Response(await request.arrayBuffer());
    const [text] = await request.json();
    return Response.json({ result: text });
  },
};

function socket() {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.addEventListener('message', ({ data }) => server.send(data));
  return new Response(null, { status: 101, webSocket: client });
}

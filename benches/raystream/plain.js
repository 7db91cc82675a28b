// What the encrypted calls are measured against: bare Workers that echo JSON, or bytes.
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/bytes') return new Response(await request.arrayBuffer());
    const [text] = await request.json();
    return Response.json({ result: text });
  },
};

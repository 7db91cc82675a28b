// Pages that the Worker draws: who they are for, what they may call, and what a browser makes of them. Arguments: project, URL.

import { client, print } from "./app.mjs";
import { withChromium } from "./chromium.mjs";

const [project, url] = process.argv.slice(2);
const WAIT = { timeout: 20_000 };

const json = async (path, cookie) => (await get(path, cookie)).json();
const get = (path, cookie) => fetch(url + path, { headers: cookie === undefined ? {} : { cookie } });

/** A visitor with a client of its own, and the cookie that its browser would send. */
async function visitor(instance) {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const { kontract, whoAmI } = await client(project, url, { storage }, instance);
  const [owner] = (await whoAmI(0)).split(" ");
  kontract.close();
  return { owner, cookie: `other=1; kontract-identity=${[...kept.values()][0]}` };
}

const [ada, bob] = [await visitor("ada"), await visitor("bob")];
const first = await json("/who?n=1");
const second = await json("/who?n=1");
const calls = Array.from({ length: 60 }, (_, index) => [undefined, ada, bob][index % 3]);
const answers = await Promise.all(calls.map((who, index) => json(`/who-twice?n=${(index * 7) % 40}`, who?.cookie)));

const added = await json("/add?id=first", ada.cookie);
const html = await (await get("/", ada.cookie)).text();
const script = await get("/browser.js");
const missing = await get("/nowhere.png");
const thrown = await get("/thrown");
const page = await get("/who");

const browser = await withChromium(async (context) => {
  const opened = await context.newPage();
  const problems = [];
  opened.on("pageerror", (error) => problems.push(String(error)));
  opened.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  const visit = async () => {
    await opened.goto(url);
    await opened.locator("body[data-loaded]").waitFor(WAIT);
    return { loaded: await opened.locator("body").getAttribute("data-loaded"), items: await opened.getByRole("listitem").allTextContents() };
  };
  const before = await visit();
  const drawn = await (await context.request.get(url)).text();
  const after = await visit();
  return { same: before.loaded === after.loaded, drawnFor: drawn.includes(`data-owner="${before.loaded}"`), items: after.items, problems };
});

print({
  anonymous: [first.who.startsWith("anon_"), first.who !== second.who, first.who === `${first.identity} whoAmI`],
  known: [(await json("/who?n=1", ada.cookie)).who === `${ada.owner} whoAmI`, ada.owner !== bob.owner],
  forged: (await json("/who?n=1", "kontract-identity=forged")).who.startsWith("anon_"),
  strangers: answers.filter(([one, two], index) => one !== two || (calls[index] !== undefined && one !== `${calls[index].owner} whoAmI`)).length,
  added,
  html: [html.includes("<li>added while drawing 26</li>"), html.includes(`data-owner="${ada.owner}"`), /<!--(?:page|given)-->/.test(html)],
  numbers: [await json("/numbers?n=3"), await json("/numbers?n=1000&stop=2")],
  motto: await json("/motto"),
  errors: await json("/errors"),
  after: (await (await get("/", ada.cookie)).text()).includes("never"),
  script: [script.status, script.headers.get("content-type")],
  missing: [missing.status, await missing.text(), missing.headers.get("cache-control")],
  thrown: [thrown.status, await thrown.text()],
  text: (await get("/text")).status,
  private: page.headers.get("cache-control"),
  post: (await fetch(`${url}/who`, { method: "POST" })).status,
  browser,
});

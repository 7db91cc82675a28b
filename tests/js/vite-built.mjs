// Built pages, served by the app's own Worker, under a policy that allows nothing but files of its own. Arguments: URL.

import { print } from "./app.mjs";
import { withChromium } from "./chromium.mjs";

const WAIT = { timeout: 20_000 };
const PAGES = { vanilla: "/", react: "/react.html", svelte: "/svelte.html", vue: "/vue.html" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const [url] = process.argv.slice(2);

/** What not every browser has. */
const RECENT = ["ChaCha20-Poly1305", "ML-KEM-768", "X25519"];

/** In pages: WebCrypto as it was before these algorithms. */
function forget(names) {
  const { importKey } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.importKey = function (format, bytes, algorithm, ...rest) {
    const refused = names.includes(algorithm) && new DOMException("Unrecognized name", "NotSupportedError");
    return refused ? Promise.reject(refused) : importKey.call(this, format, bytes, algorithm, ...rest);
  };
}

/** Uses a page as a visitor does. */
async function visit(context, name, missing = []) {
  const page = await context.newPage();
  const files = [];
  page.on("request", (request) => files.push(new URL(request.url()).pathname));
  await page.addInitScript(forget, missing);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(url + PAGES[name]);
  await page.getByRole("heading", { name: "The board" }).waitFor(WAIT);
  const note = `a note of ${name} without ${missing.length}`;
  await page.getByLabel("Note").fill(note);
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("listitem").filter({ hasText: note }).waitFor(WAIT);
  const packages = ["chacha", "ml-kem", "x25519", "hash"].filter((part) => files.some((file) => file.includes(`/${part}-`)));
  return { page, problems, heading: await page.locator("h1").textContent(), added: true, packages };
}

/** The directive that stops text from being run as code; the browser has to name one, or the policy was none. */
async function refusal(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", ({ violatedDirective }) => resolve(violatedDirective));
        const script = document.createElement("script");
        script.textContent = "0";
        document.head.append(script);
      }),
  );
}

const outcome = await withChromium(async (context) => {
  await context.route("**/*", async (route) => {
    if (route.request().resourceType() !== "document") return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": POLICY } });
  });
  const seen = {};
  for (const name of Object.keys(PAGES)) {
    const { page, ...rest } = await visit(context, name);
    seen[name] = { ...rest, problems: [...rest.problems] };
    seen.refusal = await refusal(page);
  }
  for (const missing of [RECENT, ["ML-KEM-768"]]) {
    const { page, ...rest } = await visit(context, "vanilla", missing);
    seen[`without ${missing}`] = rest;
  }
  return seen;
});

print(outcome);

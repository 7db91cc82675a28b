// Two visitors in Chromium. Arguments: URL, file for a screenshot.

import { print } from "./app.mjs";
import { withChromium } from "./chromium.mjs";

const [url, screenshot] = process.argv.slice(2);
const problems = [];
const sockets = [];
const frames = [];

async function visitor(context) {
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("websocket", (socket) => {
    sockets.push(socket.url());
    socket.on("framesent", ({ payload }) => frames.push(Buffer.from(payload).toString("latin1")));
  });
  await page.goto(url);
  return page;
}

await withChromium(async (context) => {
  const [ada, bob] = [await visitor(context), await visitor(context)];
  await ada.getByLabel(/name/i).first().fill("Ada");
  await ada.getByLabel(/message/i).first().fill("A secret between Ada and the server");
  await ada.getByRole("button", { name: /sign/i }).first().click();
  const text = "A secret between Ada and the server";
  await ada.getByText(text).first().waitFor({ timeout: 15_000 });
  await bob.getByText(text).first().waitFor({ timeout: 15_000 });
  await bob.screenshot({ path: screenshot, fullPage: true });
  print({
    problems,
    sockets: sockets.length,
    plaintext: frames.filter((frame) => frame.includes("secret")).length,
    frames: frames.length,
  });
});

// Two visitors in Chromium. Arguments: URL, file for a screenshot.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { print } from "./app.mjs";

const [url, screenshot] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), "kontract-chromium-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const problems = [];
const sockets = [];
const frames = [];

async function visitor() {
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("websocket", (socket) => {
    sockets.push(socket.url());
    socket.on("framesent", ({ payload }) => frames.push(Buffer.from(payload).toString("latin1")));
  });
  await page.goto(url);
  return page;
}

try {
  const [ada, bob] = [await visitor(), await visitor()];
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
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}

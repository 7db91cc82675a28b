// Calls the app of fixtures/apps/traces so that it fails. Arguments: project, URL.

import { client, print, rejection } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const { kontract, pay } = await client(project, url);
const left = await pay(10, "food");
const errors = [await rejection(pay(1000, "rent")), await rejection(pay(99, "food"))];
kontract.close();
print({ left, errors });

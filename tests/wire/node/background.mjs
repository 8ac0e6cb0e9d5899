// Background jobs by OpenAI's SDK: two are made, the second is waited for, and both are listed.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { job, noting, report } from "./job.mjs";

const { default: Client, toFile } = await import(job.package);
const { CursorPage } = await import(`${job.package}/core/pagination`);
const client = new Client({ baseURL: job.baseURL, apiKey: job.apiKey, fetch: noting });
const jobs = "/audio/transcriptions";

async function made(fields) {
  const file = await toFile(readFileSync(job.path), "a.flac");
  return client.audio.transcriptions.create({ file, ...fields, background: true });
}

async function ended(id) {
  for (;;) {
    const found = await client.get(`${jobs}/${id}`);
    if (found.completed_at) return found;
    await sleep(50);
  }
}

async function listed(count) {
  const ids = [];
  for await (const each of client.getAPIList(jobs, CursorPage, { query: { limit: 1 } })) {
    ids.push(each.id);
    if (ids.length === count) break;
  }
  return ids;
}

async function work() {
  const other = await made({ model: job.fields.model });
  const one = await made(job.fields);
  const done = await ended(one.id);
  const text = await client.get(`${jobs}/${one.id}/content`, {
    query: { response_format: "text" },
  });
  return { value: { made: one, ended: done, other, text, listed: await listed(2) } };
}

await report(work, () => ({}));

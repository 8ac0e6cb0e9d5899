// One call of OpenAI's SDK or Groq's, which are made alike: of the package that the job names.
import { createReadStream, readFileSync } from "node:fs";

import { job, noting, report } from "./job.mjs";

const { default: Client, AzureOpenAI, toFile } = await import(job.package);
const { baseURL, apiKey } = job;
const client = job.azure
  ? new AzureOpenAI({ ...job.azure, apiKey, fetch: noting })
  : new Client({ baseURL, apiKey, fetch: noting });
const abort = new AbortController();

function opened({ path, name, streamed }) {
  return streamed ? createReadStream(path) : toFile(readFileSync(path), name);
}

// The file keeps its place among the keys: it is that of its part in the form.
async function prepared(argument) {
  return argument.file ? { ...argument, file: await opened(argument.file) } : argument;
}

async function all(items) {
  const found = [];
  for await (const item of items) {
    found.push(item);
    if (found.length === job.abortAfter) abort.abort();
  }
  return found;
}

async function call() {
  const names = job.method.split(".");
  const method = names.pop();
  const resource = names.reduce((parent, name) => parent[name], client);
  const values = await Promise.all(job.arguments.map(prepared));
  const answer = await resource[method](...values, { signal: abort.signal });
  const isMany = Symbol.asyncIterator in Object(answer);
  return { value: isMany ? await all(answer) : answer, request_id: answer._request_id };
}

function detailsOf({ status, code, param, type, requestID }) {
  return { status, code, param, type, request_id: requestID };
}

await report(call, detailsOf);

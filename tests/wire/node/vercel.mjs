// One transcription with Vercel's AI SDK, by the provider that the job names.
import { readFileSync } from "node:fs";

import { createAzure } from "@ai-sdk/azure";
import { createGroq } from "@ai-sdk/groq";
import { createOpenAI } from "@ai-sdk/openai";
import { transcribe } from "ai";

import { job, noting, report } from "./job.mjs";

// The warnings are in the result; they need not be printed, too.
globalThis.AI_SDK_LOG_WARNINGS = false;

const create = { azure: createAzure, groq: createGroq, openai: createOpenAI }[job.provider];
const { baseURL, apiKey, settings } = job;
const provider = create({ baseURL, apiKey, fetch: noting, ...settings });

async function call() {
  const model = provider.transcription(job.model);
  const audio = readFileSync(job.path);
  const result = await transcribe({ model, audio, ...job.options });
  const { text, segments, words, language, durationInSeconds, warnings } = result;
  return { value: { text, segments, words, language, durationInSeconds, warnings } };
}

function detailsOf({ statusCode, data, responseHeaders }) {
  return { status: statusCode, ...data?.error, request_id: responseHeaders?.["x-request-id"] };
}

await report(call, detailsOf);
